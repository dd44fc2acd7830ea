package atomstudio.diffusion.onnx;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.Hardware;
import atomstudio.diffusion.engine.ProviderDevice.Precision;
import atomstudio.diffusion.engine.ProviderDevice.ProviderCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/// The process of a provider whose only device is in truth the processor, for tests.
public final class FakeProviderProgram {
    private static final String PROCESSES = "processes.txt";

    private FakeProviderProgram() {}

    /// @param arguments the folder for the list of these processes
    public static void main(String[] arguments) throws IOException {
        Files.writeString(Path.of(arguments[0], PROCESSES), ProcessHandle.current().pid() + "\n",
                StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        System.out.print("a line that the provider prints");
        System.out.flush();
        ProviderHost.serve(System.in, System.out, name -> Device.CPU);
        Runtime.getRuntime().halt(0);
    }

    /// @param folder for its log; each has a process of its own
    public static ProviderDevice device(Path folder) {
        return new ProviderDevice("fake-gpu",
                new Hardware("FakeExecutionProvider", "Fake", Hardware.Kind.GPU, "", OptionalLong.empty()),
                Precision.FLOAT32)
                .withProcess(new ProviderCommand(command(FakeProviderProgram.class, folder.toString()),
                        folder.resolve("provider.log")));
    }

    /// The command line of another Java process with this one's classes.
    static List<String> command(Class<?> program, String... arguments) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        List<String> command = new ArrayList<>(List.of(java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED"));
        String natives = System.getProperty("onnxruntime.native.path");
        if (natives != null) command.add("-Donnxruntime.native.path=" + natives);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    /// The ids of all processes that were started for a folder's device, oldest first.
    public static List<Long> started(Path folder) throws IOException {
        return Files.readAllLines(folder.resolve(PROCESSES)).stream().map(Long::parseLong).toList();
    }

    /// Kills the newest process of a folder's device.
    public static void kill(Path folder) throws IOException {
        ProcessHandle.of(started(folder).getLast()).orElseThrow().destroyForcibly();
    }
}

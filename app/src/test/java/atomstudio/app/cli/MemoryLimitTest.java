package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import atomstudio.app.runtime.Assets;
import atomstudio.app.runtime.Home;
import atomstudio.diffusion.model.RandomModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Stable Diffusion 1.5's shape, half-precision weights, 512×512, in a control group with little memory: the kernel
/// ends a process that needs more. Needs the right to make control groups.
@Tag("slow")
@EnabledOnOs(OS.LINUX)
class MemoryLimitTest {
    private static final long GB = 1L << 30;
    @TempDir
    private static Path folder;

    @BeforeAll
    static void writeModel() throws Exception {
        Optional<MemoryGroup> group = MemoryGroup.create(GB);
        assumeTrue(group.isPresent(), "skipped: control groups of memory cannot be made here");
        Files.delete(group.get().folder());
        RandomModel.main(new String[] {model().toString(), "F16"});
    }

    private static Path model() {
        return folder.resolve("model");
    }

    @Test
    void anImageIsSampledInThreeGigabytes() throws Exception {
        Path image = folder.resolve("image.png");
        run(3 * GB, "generate", "--model", model().toString(), "--prompt", "a fox", "--steps", "2", "--out",
                image.toString());
        assertTrue(Files.size(image) > 0);
    }

    @Test
    void atomsAreTrainedInFourGigabytes() throws Exception {
        Path run = folder.resolve("run");
        run(4 * GB, "train", "--model", model().toString(), "--photos",
                Assets.find().folder().resolve("subjects/car").toString(), "--class", "car", "--method", "atoms",
                "--steps", "2", "--out", run.toString());
        assertTrue(Files.exists(run.resolve("report.json")));
    }

    private static void run(long limit, String... arguments) throws Exception {
        MemoryGroup group = MemoryGroup.create(limit).orElseThrow();
        List<String> command = new ArrayList<>(
                List.of("sh", "-c", "echo $$ > \"$0\" && exec \"$@\"", group.processes().toString(),
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                        "-Xms32m", "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                        Main.class.getName()));
        command.addAll(List.of(arguments));
        Path output = folder.resolve("output.txt");
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().put(Home.ENVIRONMENT_VARIABLE, folder.resolve("home").toString());
        int code = builder.start().waitFor();
        Files.delete(group.folder());
        assertEquals(ExitCode.SUCCESS, code, () -> output(output));
    }

    private static String output(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /// A control group of either version with a limit of memory and without swapping.
    private record MemoryGroup(Path folder) {
        private static final Path MOUNT = Path.of("/sys/fs/cgroup");

        static Optional<MemoryGroup> create(long limit) {
            boolean first = Files.isDirectory(MOUNT.resolve("memory"));
            Path parent = first ? MOUNT.resolve("memory") : MOUNT;
            try {
                Path folder = Files.createTempDirectory(parent, "atomstudio-test-");
                Files.writeString(folder.resolve(first ? "memory.limit_in_bytes" : "memory.max"), Long.toString(limit));
                Files.writeString(folder.resolve(first ? "memory.swappiness" : "memory.swap.max"), "0");
                return Optional.of(new MemoryGroup(folder));
            } catch (IOException noRight) {
                return Optional.empty();
            }
        }

        Path processes() {
            return folder.resolve("cgroup.procs");
        }
    }
}

package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.Assets;
import atomstudio.app.jobs.Home;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The program as a process: what only a fresh JVM can show.
class MainProcessTest {
    @TempDir
    private Path folder;

    @Test
    void inspectLoadsNoNativeLibraryAndWritesNothing() throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("temporary"));
        Result result = run(List.of("-Xlog:library=info", "-Djava.io.tmpdir=" + temporary), "inspect", Assets.find().defaultModel().toString());
        assertEquals(ExitCode.DONE, result.code(), result::text);
        assertTrue(result.text().contains("3x3 convolutions"), result::text);
        assertFalse(result.text().contains("onnxruntime") || result.text().contains("libtorch"), result::text);
        assertFalse(Files.exists(home()));
        try (var left = Files.list(temporary)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void withoutADisplayTheWindowIsRefusedAndTheCommandsAreNamed() throws Exception {
        Result result = run(List.of());
        assertEquals(ExitCode.FAILED, result.code(), result::text);
        assertTrue(result.text().contains("display") && result.text().contains("--help"), result::text);
        assertFalse(result.text().contains("\tat "), result::text);
    }

    /// ONNX Runtime matches the process's command line against a recursive regular expression.
    @Test
    void aLongPromptDoesNotOverflowAStack() throws Exception {
        Path picture = folder.resolve("long.png");
        Result result = run(List.of(), "generate", "--prompt", "word ".repeat(10_000), "--steps", "1", "--guidance", "1", "--out", picture.toString());
        assertEquals(ExitCode.DONE, result.code(), result::text);
        assertTrue(Files.exists(picture));
    }

    private Path home() {
        return folder.resolve("home");
    }

    private Result run(List<String> flags, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(folder.resolve("text").toFile());
        builder.environment().put(Home.VARIABLE, home().toString());
        builder.environment().keySet().removeAll(List.of("DISPLAY", "WAYLAND_DISPLAY"));
        int code = builder.start().waitFor();
        return new Result(code, Files.readString(folder.resolve("text")));
    }

    private record Result(int code, String text) {}
}

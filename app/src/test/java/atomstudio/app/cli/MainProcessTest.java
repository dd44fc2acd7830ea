package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import atomstudio.app.runtime.Assets;
import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.file.AtomicFile;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Tests that need a JVM of their own.
class MainProcessTest {
    private static final int SIGHUP = 1;
    @TempDir
    private Path folder;

    @Test
    void inspectLoadsNoNativeLibraryAndWritesNothing() throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("temporary"));
        Result result = run(List.of("-Xlog:library=info", "-Djava.io.tmpdir=" + temporary), "inspect",
                Assets.find().defaultModel().toString());
        assertEquals(ExitCode.SUCCESS, result.code(), result::text);
        assertTrue(result.text().contains("3x3 convolutions"), result::text);
        assertFalse(result.text().contains("onnxruntime") || result.text().contains("libtorch"), result::text);
        assertFalse(Files.exists(home()));
        try (var left = Files.list(temporary)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void withoutADisplayTheWindowFailsAndNamesTheCommands() throws Exception {
        Result result = run(List.of());
        assertEquals(ExitCode.FAILED, result.code(), result::text);
        assertTrue(result.text().contains("display") && result.text().contains("--help"), result::text);
        assertFalse(result.text().contains("\tat "), result::text);
    }

    /// ONNX Runtime matches the process's command line against a recursive regular expression.
    @Test
    void longPromptDoesNotOverflowTheStack() throws Exception {
        Path image = folder.resolve("long.png");
        Result result = run(List.of(), "generate", "--prompt", "word ".repeat(10_000), "--steps", "1", "--cfg-scale",
                "1", "--out", image.toString());
        assertEquals(ExitCode.SUCCESS, result.code(), result::text);
        assertTrue(Files.exists(image));
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void unwritableStandardOutputIsAFailure() throws Exception {
        assumeTrue(Files.isWritable(Path.of("/dev/full")), "skipped: no /dev/full");
        for (String[] arguments : new String[][] {{"--version"}, {"--help"}, {"samplers"}, {"methods", "--json"},
                {"inspect", Assets.find().defaultModel().toString()}}) {
            ProcessBuilder builder = builder(List.of(), arguments).redirectErrorStream(false)
                    .redirectOutput(new File("/dev/full"))
                    .redirectError(folder.resolve("text").toFile());
            assertEquals(ExitCode.FAILED, builder.start().waitFor());
            assertTrue(Files.readString(folder.resolve("text"))
                    .contains("standard output: the result cannot be written: No space left"));
        }
    }

    @Test
    void fullHeapIsReportedWithItsLimit() throws Exception {
        Result result = run(List.of("-Xmx24m", "-Xms16m"), "generate", "--prompt", "a red apple", "--width", "1024",
                "--height", "1024", "--steps", "1", "--out", folder.resolve("large.png").toString());
        assertEquals(ExitCode.FAILED, result.code(), result::text);
        assertTrue(result.text().contains("Java's heap of 2") && result.text().contains("-Xmx"), result::text);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void homeIsPrivateAndOtherFilesHaveDefaultPermissions() throws Exception {
        Path image = folder.resolve("apple.png");
        Result result = run(List.of(), "generate", "--prompt", "a red apple", "--steps", "1", "--seed", "1", "--out",
                image.toString());
        assertEquals(ExitCode.SUCCESS, result.code(), result::text);
        assertEquals(Files.getPosixFilePermissions(Files.createFile(folder.resolve("usual"))),
                Files.getPosixFilePermissions(image));
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(home())));
        assertEquals("rw-------",
                PosixFilePermissions.toString(Files.getPosixFilePermissions(home().resolve("studio.log"))));
        try (Stream<Path> notes = Files.list(home().resolve("temporary"))) {
            assertEquals(List.of(), notes.toList());
        }
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void previewIsDeletedAtASignalAndAfterAKillAtTheNextStart() throws Exception {
        Path preview = folder.resolve("apple-preview.png");
        // Under nohup SIGHUP is ignored.
        List<String> signals = StopSignalTest.ignoresSignal(SIGHUP) ? List.of("-TERM", "-KILL")
                : List.of("-TERM", "-HUP", "-KILL");
        for (String signal : signals) {
            Process process = builder(List.of(), "generate", "--prompt", "a red apple", "--steps", "990", "--sampler",
                    "euler", "--preview", Shared.own("goldens/taesd/decoder.safetensors").toString(),
                    "--out", folder.resolve("apple.png").toString()).start();
            long patience = System.nanoTime() + Duration.ofMinutes(2).toNanos();
            while (!Files.exists(preview)) {
                assertTrue(process.isAlive() && System.nanoTime() < patience, () -> signal + " " + text());
                Thread.sleep(10);
            }
            new ProcessBuilder("kill", signal, Long.toString(process.pid())).start().waitFor();
            assertTrue(process.waitFor(2, TimeUnit.MINUTES), signal);
            if (signal.equals("-KILL")) {
                assertTrue(Files.exists(preview));
                assertEquals(ExitCode.SUCCESS,
                        run(List.of(), "inspect", Assets.find().defaultModel().toString()).code());
            } else {
                assertEquals(ExitCode.CANCELLED, process.exitValue(), this::text);
            }
            assertFalse(Files.exists(preview), signal);
            try (Stream<Path> parts = Files.list(folder)) {
                assertEquals(List.of(), parts.filter(AtomicFile::isPartFile).toList());
            }
        }
    }

    private String text() {
        try {
            return Files.readString(folder.resolve("text"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    private Path home() {
        return folder.resolve("home");
    }

    private Result run(List<String> flags, String... arguments) throws IOException, InterruptedException {
        int code = builder(flags, arguments).start().waitFor();
        return new Result(code, Files.readString(folder.resolve("text")));
    }

    private ProcessBuilder builder(List<String> flags, String... arguments) {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED"));
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(folder.resolve("text").toFile());
        builder.environment().put(Home.ENVIRONMENT_VARIABLE, home().toString());
        builder.environment().keySet().removeAll(List.of("DISPLAY", "WAYLAND_DISPLAY"));
        return builder;
    }

    private record Result(int code, String text) {}
}

package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class StopSignalTest {
    private static final int SIGINT = 2;
    private final List<Integer> ended = new ArrayList<>();
    private final StopSignal stop = new StopSignal(
            Terminal.plain(new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter())), ended::add);

    @Test
    void secondSignalEndsARegisteredJob() {
        try (StopSignal.Registration registration = stop.register()) {
            stop.raise();
            assertTrue(stop.requested());
            assertEquals(List.of(), ended);
            stop.raise();
            assertEquals(List.of(ExitCode.CANCELLED), ended);
        }
    }

    @Test
    void signalEndsTheProcessWithoutARegisteredJob() {
        stop.raise();
        assertEquals(List.of(ExitCode.CANCELLED), ended);
    }

    @Test
    void signalAfterAJobEndsTheProcess() {
        stop.register().close();
        assertFalse(stop.requested());
        stop.raise();
        assertEquals(List.of(ExitCode.CANCELLED), ended);
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void sigtermLetsAJobFinishItsStepAndTheProcessEndsWith130() throws Exception {
        assertEquals(List.of("working", "saved"), linesAfterSignal("TERM", "registered"));
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void ctrlCLetsAJobFinishItsStepAndTheProcessEndsWith130() throws Exception {
        assumeFalse(ignoresSignal(SIGINT),
                "skipped: this process ignores SIGINT, like a background job of a shell, and so do its children");
        assertEquals(List.of("working", "saved"), linesAfterSignal("INT", "registered"));
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void sigtermEndsACommandThatCannotStopWith130() throws Exception {
        assertEquals(List.of("working"), linesAfterSignal("TERM", "unregistered"));
    }

    /// Whether this process, and so its children, ignores a signal. False without /proc.
    static boolean ignoresSignal(int signal) throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) return false;
        String ignored = Files.readAllLines(status)
                .stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .findFirst()
                .orElse("SigIgn: 0");
        return (Long.parseUnsignedLong(ignored.substring("SigIgn:".length()).strip(), 16) & 1L << signal - 1) != 0;
    }

    private static List<String> linesAfterSignal(String signal, String kind) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                "-cp", System.getProperty("java.class.path"), Job.class.getName(), kind)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        // A timeout for reading its output.
        CompletableFuture.delayedExecutor(60, TimeUnit.SECONDS).execute(process::destroyForcibly);
        try (BufferedReader reader = process.inputReader()) {
            List<String> lines = new ArrayList<>();
            lines.add(reader.readLine());
            new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
            reader.lines().forEach(lines::add);
            assertTrue(process.waitFor(30, TimeUnit.SECONDS));
            assertEquals(ExitCode.CANCELLED, process.exitValue());
            return lines;
        } finally {
            process.destroyForcibly();
        }
    }

    /// A process that works until a signal, then saves for a moment.
    static final class Job {
        public static void main(String[] arguments) throws InterruptedException {
            StopSignal stop = new StopSignal(Terminal.ofProcess(), Runtime.getRuntime()::halt);
            stop.install();
            if (arguments[0].equals("unregistered")) {
                System.out.println("working");
                Thread.sleep(60_000);
            }
            try (StopSignal.Registration registration = stop.register()) {
                System.out.println("working");
                while (!stop.requested()) {
                    Thread.sleep(10);
                }
                Thread.sleep(200);
                System.out.println("saved");
            }
            System.exit(ExitCode.CANCELLED);
        }
    }
}

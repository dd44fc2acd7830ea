package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.runtime.Home;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class BenchmarkCommandTest {
    private static final String[] SHORT = {"--subjects", "car", "--methods", "untuned,atoms", "--prompts", "1",
            "--images", "2", "--steps", "2", "--width", "64", "--height", "64", "--train-steps", "3"};

    @TempDir
    Path folder;

    private CommandLineRun benchmark(Object... arguments) {
        List<Object> all = new ArrayList<>(List.of("benchmark"));
        all.addAll(List.of(arguments));
        return CommandLineRun.of(folder.resolve("home"), all.toArray());
    }

    private void rejected(String expected, Object... arguments) {
        CommandLineRun run = benchmark(arguments);
        assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
        assertTrue(run.err().contains(expected), run.err());
    }

    @Test
    void wrongInputIsNamed() {
        Path out = folder.resolve("out");
        rejected("--out", "--plan");
        rejected("one of them", "--out", out, "--plan", "--collect");
        rejected("expected I/N", "--out", out, "--shard", "4/4");
        rejected("expected I/N", "--out", out, "--shard", "one");
        rejected("found nonsense", "--out", out, "--plan", "--methods", "nonsense");
        rejected("--images: expected 1 to 100", "--out", out, "--plan", "--images", "0");
        rejected("expected a method of --methods", "--out", out, "--plan", "--learning-rate", "lora=1");
        rejected("dreambooth or oft", "--out", out, "--plan", "--protocol", "hra");
        CommandLineRun unplanned = benchmark("--out", out, "--shard", "0/2");
        assertEquals(ExitCode.FAILED, unplanned.exitCode());
        assertTrue(unplanned.err().contains("--plan"), unplanned.err());
        assertFalse(Files.exists(out));
    }

    @Test
    void plansReportsTheStatusAndKeepsThePlan() throws IOException {
        Path out = folder.resolve("out");
        CommandLineRun planned = benchmark("--out", out, "--plan", "--subjects", "owl,car", "--methods",
                "untuned,lora-4", "--seeds", "2");
        assertEquals(ExitCode.SUCCESS, planned.exitCode(), planned.err());
        assertEquals(6, Files.readAllLines(out.resolve("plan.jsonl")).size(), "the base model has no seeds");
        assertEquals("6 runs: 0 finished, 0 running, 0 failed, 0 unfinished, 6 not started",
                benchmark("--out", out, "--status").out().strip());
        assertEquals("{\"runs\":6,\"finished\":0,\"running\":0,\"failed\":0,\"unfinished\":0,\"not_started\":6}",
                benchmark("--out", out, "--status", "--json").out().strip());
        assertEquals(ExitCode.RESUMABLE, benchmark("--out", out, "--collect").exitCode());
        CommandLineRun other = benchmark("--out", out, "--plan", "--steps", "7");
        assertEquals(ExitCode.FAILED, other.exitCode());
        assertTrue(other.err().contains("steps: expected 25, found 7"), other.err());
    }

    /// Kills the benchmark in the training, between images and before the result; the last start finishes it.
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void aKilledBenchmarkContinuesToTheSameTable() throws Exception {
        Path whole = folder.resolve("whole");
        assertEquals(ExitCode.SUCCESS, run(whole).waitFor(), this::text);
        Path killed = folder.resolve("killed");
        Path images = Path.of("images/00-0.png");
        Path run = killed.resolve("runs/car/atoms-" + learningRate(whole) + "-3x1-0");
        for (Path reached : List.of(killed.resolve("runs/car/untuned").resolve(images),
                run.resolve("training/run.json"), run.resolve(images))) {
            Process process = run(killed);
            long patience = System.nanoTime() + Duration.ofMinutes(3).toNanos();
            while (!Files.exists(reached)) {
                assertTrue(process.isAlive() && System.nanoTime() < patience, () -> reached + " " + text());
                Thread.sleep(5);
            }
            process.destroyForcibly();
            assertTrue(process.waitFor(1, TimeUnit.MINUTES));
        }
        Process last = run(killed);
        assertEquals(ExitCode.SUCCESS, last.waitFor(), this::text);
        for (String table : List.of("table.csv", "runs.csv", "images.csv", "plan.jsonl"))
            assertArrayEquals(Files.readAllBytes(whole.resolve(table)), Files.readAllBytes(killed.resolve(table)),
                    table);
        assertEquals("2 runs: 2 finished, 0 running, 0 failed, 0 unfinished, 0 not started",
                benchmark("--out", killed, "--status").out().strip());
    }

    private static String learningRate(Path finished) throws IOException {
        try (var runs = Files.list(finished.resolve("runs/car"))) {
            return runs.map(run -> run.getFileName().toString())
                    .filter(name -> name.startsWith("atoms-"))
                    .map(name -> name.split("-")[1])
                    .findFirst()
                    .orElseThrow();
        }
    }

    private Process run(Path out) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                        Main.class.getName(), "benchmark", "--out", out.toString()));
        command.addAll(Arrays.asList(SHORT));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(folder.resolve("text").toFile());
        builder.environment().put(Home.ENVIRONMENT_VARIABLE, folder.resolve("home").toString());
        return builder.start();
    }

    private String text() {
        try {
            return Files.readString(folder.resolve("text"));
        } catch (IOException e) {
            return e.toString();
        }
    }
}

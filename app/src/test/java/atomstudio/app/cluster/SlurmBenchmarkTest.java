package atomstudio.app.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import atomstudio.app.cli.Main;
import atomstudio.app.runtime.Home;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// A benchmark and an experiment as job arrays on a real Slurm, which is started on this machine.
@Tag("slurm")
@EnabledOnOs(OS.LINUX)
class SlurmBenchmarkTest {
    private static final Duration PATIENCE = Duration.ofMinutes(20);
    private static final List<String> TINY = List.of("--prompts", "1", "--images", "1", "--steps", "1", "--width", "64",
            "--height", "64", "--train-steps", "2");
    /// Six runs of the base model, planned first, and two trainings.
    private static final List<String> SIX_RUNS = List.of("--plan", "--methods", "untuned", "--subjects",
            "boat,car,cat,clock,ghost,owl");
    private static final List<String> TWO_RUNS = List.of("--methods", "atoms", "--subjects", "car,owl");

    /// Four evaluations of the base model and four trainings: three learning rates in phase tune, then the best.
    private static final List<String> EXPERIMENT = List.of("--methods", "none", "--variant", "a=--method atoms",
            "--subjects", "boat,owl", "--steps", "1", "--width", "64", "--height", "64", "--steps-scale", "0.005",
            "--checkpoints", "1");

    @TempDir
    Path folder;
    private Path studio = Path.of("");

    @BeforeEach
    void writeLauncher() throws IOException {
        assumeTrue(LocalSlurm.isInstalled(), "skipped: Slurm is not installed; apt-get install "
                + "--no-install-recommends slurmctld slurmd munge");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        studio = Files.writeString(folder.resolve("studio"), String.join("\n", "#!/bin/sh",
                "export " + Home.ENVIRONMENT_VARIABLE + "=" + folder.resolve("home"),
                "exec " + java + " -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED -cp '"
                        + System.getProperty("java.class.path") + "' " + Main.class.getName() + " \"$@\"",
                ""));
        Files.setPosixFilePermissions(studio, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static String[] command(Path studio, Path out, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of("benchmark"));
        command.addAll(arguments);
        if (arguments.contains("--methods")) command.addAll(TINY);
        return command(studio, command, out);
    }

    private static String[] command(Path studio, List<String> words, Path out) {
        return Stream.of(List.of(studio.toString()), words, List.of("--out", out.toString()))
                .flatMap(List::stream)
                .toArray(String[]::new);
    }

    /// A task is killed while it trains; another one of the same array does its work.
    @Test
    void anExperimentWithAKilledTaskEqualsOneMachine() throws Exception {
        try (LocalSlurm slurm = LocalSlurm.start(folder.resolve("slurm"))) {
            Path local = folder.resolve("local"), out = folder.resolve("array");
            slurm.run(command(studio, experiment(EXPERIMENT), local));
            List<String> submit = experiment(EXPERIMENT);
            submit.addAll(List.of("--submit", "slurm", "--at-once", "2", "--shards", "3", "--program",
                    studio.toString()));
            String job = job(slurm.run(command(studio, submit, out)));
            kill(awaitLease(out, "a-0."));
            awaitTask(slurm, job, "F");
            awaitEnd(slurm, job, out);
            // Of its part of phase test nothing was done; submitting again does it.
            awaitEnd(slurm, job(slurm.run(command(studio, experiment(List.of("--submit", "slurm", "--program",
                    studio.toString())), out))), out);
            String status = slurm.run(command(studio, experiment(List.of("--status")), out));
            assertTrue(status.contains("8 parts: 8 finished"), () -> status + logs(out));
            slurm.run(command(studio, experiment(List.of("--collect")), out));
            assertEquals(withoutTimes(local), withoutTimes(out));
        }
    }

    private static List<String> experiment(List<String> arguments) {
        List<String> words = new ArrayList<>(List.of("experiment"));
        words.addAll(arguments);
        return words;
    }

    /// The table of an experiment without the columns seconds and peak_memory.
    private static String withoutTimes(Path out) throws IOException {
        return Files.readString(out.resolve("experiment.csv")).replaceAll("(?m)^((?:[^,]*,){9})[^,]*,[^,]*,", "$1");
    }

    @Test
    void anArrayWithAKilledAndAStoppedTaskEqualsOneMachine() throws Exception {
        try (LocalSlurm slurm = LocalSlurm.start(folder.resolve("slurm"))) {
            Path local = folder.resolve("local");
            slurm.run(command(studio, local, SIX_RUNS));
            slurm.run(command(studio, local, TWO_RUNS));
            Path out = folder.resolve("array");
            slurm.run(command(studio, out, SIX_RUNS));
            List<String> submit = new ArrayList<>(TWO_RUNS);
            submit.addAll(List.of("--submit", "slurm", "--at-once", "3", "--shards", "8", "--program",
                    studio.toString()));
            String job = job(slurm.run(command(studio, out, submit)));
            Path lease = awaitLease(out, "");
            kill(lease);
            awaitTask(slurm, job, "F");
            while (!logs(out).contains("exit code 75")) stopOneTask(slurm, job, out.resolve("logs"));
            awaitEnd(slurm, job, out);
            assertStatus("8 runs: 7 finished, 0 running", slurm, out);
            assertTrue(Files.exists(lease), "of the run that was killed, which is missing");

            submit.set(submit.indexOf("8"), "2");
            awaitEnd(slurm, job(slurm.run(command(studio, out, submit))), out);
            assertStatus("8 runs: 8 finished, 0 running", slurm, out);
            slurm.run(command(studio, out, List.of("--collect")));
            for (String table : List.of("table.csv", "runs.csv", "images.csv", "plan.jsonl"))
                assertEquals(Files.readString(local.resolve(table)), Files.readString(out.resolve(table)), table);
            assertTrue(slurm.run(command(studio, out, List.of("--cancel"))).contains("No job"), "all tasks ended");
        }
    }

    /// The job's id in the output of `--submit`.
    private static String job(String output) {
        return output.replaceAll("(?s).*Job (\\d+): \\d+ shards.*", "$1");
    }

    private static void kill(Path lease) throws IOException, InterruptedException {
        String process = Files.readAllLines(lease).get(1);
        assertEquals(0, new ProcessBuilder("kill", "-KILL", process).start().waitFor());
    }

    private void assertStatus(String expected, LocalSlurm slurm, Path out) throws IOException, InterruptedException {
        String status = slurm.run(command(studio, out, List.of("--status")));
        assertTrue(status.contains(expected), () -> status + logs(out));
    }

    private static void awaitEnd(LocalSlurm slurm, String job, Path out) throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (slurm.tasks(job).stream().anyMatch(task -> !hasEnded(task))) {
            assertTrue(System.nanoTime() < end, () -> "not finished: " + logs(out));
            for (String task : slurm.tasks(job)) if (task.endsWith(" PD")) release(slurm, task.split(" ")[0]);
            Thread.sleep(1000);
        }
    }

    /// Sends TERM to the step of a task, as `--signal` does before the time limit, until one is requeued. A task that
    /// ends just then cannot be stopped; another one is tried.
    private void stopOneTask(LocalSlurm slurm, String job, Path logs) throws IOException, InterruptedException {
        while (true) {
            String running = awaitTask(slurm, job, "R");
            Path log = logs.resolve(running + ".log");
            if (!Files.exists(log) || !Files.readString(log).contains("1/1  ")) {
                Thread.sleep(500); // Java is still starting
                continue;
            }
            try {
                slurm.run("scancel", "--signal=TERM", running);
            } catch (IOException ending) {
                continue;
            }
            if (awaitRequeued(slurm, job, running).isEmpty()) continue;
            release(slurm, running);
            return;
        }
    }

    /// A requeued job waits for some minutes, which is shortened. Fails for a task that started meanwhile.
    private static void release(LocalSlurm slurm, String task) throws InterruptedException {
        try {
            slurm.run("scontrol", "update", "JobId=" + task, "StartTime=now");
        } catch (IOException started) {
            assertTrue(started.getMessage().contains("scontrol"), started.getMessage());
        }
    }

    /// The lease of a run whose folder's path contains a text.
    private static Path awaitLease(Path out, String part) throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            if (Files.isDirectory(out)) {
                try (Stream<Path> files = Files.walk(out)) {
                    Optional<Path> lease = files
                            .filter(file -> file.endsWith("lease") && file.getParent().toString().contains(part))
                            .findFirst();
                    if (lease.isPresent() && Files.size(lease.get()) > 0) return lease.get();
                } catch (java.io.UncheckedIOException | java.nio.file.NoSuchFileException changed) {
                    // a folder changed meanwhile
                }
            }
            assertTrue(System.nanoTime() < end, () -> "no task started: " + logs(out));
            Thread.sleep(100);
        }
    }

    private String awaitTask(LocalSlurm slurm, String job, String state) throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            List<String> tasks = slurm.tasks(job);
            for (String task : tasks) if (task.endsWith(" " + state)) return task.split(" ")[0];
            assertTrue(System.nanoTime() < end, () -> "no task in state " + state + ": " + tasks);
            Thread.sleep(200);
        }
    }

    /// The task when it waits again; empty if it had finished before the signal came.
    private String awaitRequeued(LocalSlurm slurm, String job, String task) throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < end) {
            List<String> tasks = slurm.tasks(job);
            if (tasks.contains(task + " PD")) return task;
            if (tasks.stream().noneMatch(line -> line.startsWith(task + " ") && !hasEnded(line))) return "";
            Thread.sleep(200);
        }
        throw new AssertionError("neither requeued nor finished: " + slurm.tasks(job));
    }

    /// Completed, failed, cancelled, timed out, out of memory or lost its node; not requeued.
    private static boolean hasEnded(String task) {
        return task.matches(".* (CD|F|CA|TO|OOM|NF)");
    }

    private static String logs(Path out) {
        StringBuilder text = new StringBuilder();
        try (Stream<Path> files = Files.list(out.resolve("logs"))) {
            for (Path file : files.sorted().toList()) text.append(file).append('\n').append(Files.readString(file));
        } catch (IOException e) {
            text.append(e);
        }
        return text.toString();
    }
}

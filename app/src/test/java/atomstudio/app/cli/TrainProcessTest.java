package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.runtime.Assets;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// `train` as a child process: stopped by a signal and by standard input, resumed, finished, exported.
@EnabledOnOs({OS.LINUX, OS.MAC})
class TrainProcessTest {
    @TempDir
    private Path folder;

    @Test
    void sigtermWritesACheckpointThatCanBeExported() throws Exception {
        Process stopped = train(5000, "--json");
        reach(stopped, 2);
        new ProcessBuilder("kill", "-TERM", Long.toString(stopped.pid())).start().waitFor();
        assertEquals(ExitCode.CANCELLED, end(stopped));
        assertTrue(err().contains("Stopped after step"), this::err);
        assertEquals("", out());

        assertEquals(ExitCode.SUCCESS,
                end(start("export", run(), "--out", folder.resolve("half.safetensors"), "--json")));
        JsonObject half = JsonParser.parseString(out()).getAsJsonObject();
        assertFalse(half.get("finished").getAsBoolean());
        int step = half.get("step").getAsInt();
        assertTrue(step >= 2 && err().contains("after step " + step + " of 5000"), this::err);

        assertEquals(ExitCode.FAILED, end(train(5000, "--learning-rate", "0.5")));
        assertTrue(err().contains("rate"), this::err);
    }

    @Test
    void standardInputPausesAndResumesAndItsEndStops() throws Exception {
        Process process = train(5000, "--control-stdin");
        reach(process, 1);
        process.outputWriter().append("pause\n").flush();
        waitFor(process, "\"paused\"");
        process.outputWriter().append("resume\n").flush();
        waitFor(process, "\"resumed\"");
        process.getOutputStream().close();
        assertEquals(ExitCode.CANCELLED, end(process));
    }

    @Test
    void dryRunEndsWithStandardInput() throws Exception {
        Process process = start("train", "--photos", Assets.find().subjectFolder("clock"), "--class", "clock",
                "--method", "atoms", "--dry-run", "--json", "--control-stdin");
        process.getOutputStream().close();
        assertEquals(ExitCode.CANCELLED, end(process), this::err);
        assertEquals("", out());
    }

    @Test
    void dryRunRemovesItsTemporaryFolderAtTheLatestAtTheNextStart() throws Exception {
        Process stopped = dryRun();
        awaitEstimate(stopped);
        new ProcessBuilder("kill", "-TERM", Long.toString(stopped.pid())).start().waitFor();
        assertEquals(ExitCode.CANCELLED, end(stopped));
        assertEquals(List.of(), estimates());
        Process killed = dryRun();
        awaitEstimate(killed);
        killed.destroyForcibly().waitFor();
        assertEquals(1, estimates().size());
        assertEquals(ExitCode.SUCCESS, end(start("inspect", Assets.find().defaultModel())));
        assertEquals(List.of(), estimates());
    }

    private Process dryRun() throws Exception {
        return start("train", "--photos", Assets.find().subjectFolder("clock"), "--class", "clock", "--method",
                "atoms", "--layers", "up", "--cached-noise-samples", "10", "--dry-run");
    }

    private void awaitEstimate(Process process) throws Exception {
        long deadline = System.nanoTime() + Duration.ofMinutes(5).toNanos();
        while (estimates().isEmpty()) {
            assertTrue(process.isAlive() && System.nanoTime() < deadline, this::err);
            Thread.sleep(5);
        }
    }

    private List<Path> estimates() throws IOException {
        try (Stream<Path> files = Files.list(Files.createDirectories(folder.resolve("temporary")))) {
            return files.filter(file -> file.getFileName().toString().startsWith("atomstudio-")).toList();
        }
    }

    @Test
    void finishedRunPrintsItsResultAgainAndExports() throws Exception {
        Process process = train(2, "--json");
        process.getOutputStream().close();
        assertEquals(ExitCode.SUCCESS, end(process), this::err);
        JsonObject result = JsonParser.parseString(out()).getAsJsonObject();
        assertEquals(2, result.get("steps").getAsInt());
        assertEquals(result.get("parameters"), result.get("numbers"));
        Path adapter = Path.of(result.get("adapter").getAsString());
        assertEquals(Files.size(adapter), result.get("bytes").getAsLong());

        assertEquals(ExitCode.SUCCESS, end(train(2, "--json")));
        assertEquals(result, JsonParser.parseString(out()).getAsJsonObject());

        Path exported = folder.resolve("exported.safetensors");
        assertEquals(ExitCode.SUCCESS, end(start("export", run(), "--out", exported)));
        assertEquals(-1, Files.mismatch(adapter, exported));
        assertEquals(ExitCode.FAILED, end(start("export", run(), "--out", exported)));
        assertTrue(err().contains("--overwrite"), this::err);
        assertEquals(ExitCode.SUCCESS, end(start("export", run(), "--out", exported, "--overwrite")));
    }

    private Path run() {
        return folder.resolve("run");
    }

    private Process train(int steps, String... more) throws Exception {
        List<Object> arguments = new ArrayList<>(List.of(
                "train", "--photos", Assets.find().subjectFolder("clock"), "--class", "clock", "--method", "atoms",
                "--steps", steps, "--out", run()));
        arguments.addAll(List.of(more));
        return start(arguments.toArray());
    }

    private Process start(Object... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC",
                "-Djava.io.tmpdir=" + Files.createDirectories(folder.resolve("temporary")),
                "-cp", System.getProperty("java.class.path"), Main.class.getName()));
        List.of(arguments).forEach(argument -> command.add(argument.toString()));
        return new ProcessBuilder(command).redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
    }

    private void reach(Process process, int step) throws Exception {
        waitFor(process, "\"kind\":\"step\",\"step\":" + step + ",");
    }

    private void waitFor(Process process, String text) throws Exception {
        Path events = run().resolve("events.jsonl");
        long deadline = System.nanoTime() + Duration.ofMinutes(5).toNanos();
        while (!(Files.exists(events) && Files.readString(events).contains(text))) {
            assertTrue(process.isAlive() && System.nanoTime() < deadline, this::err);
            Thread.sleep(50);
        }
    }

    private static int end(Process process) throws InterruptedException {
        try {
            assertTrue(process.waitFor(5, TimeUnit.MINUTES), "still running");
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    private String out() {
        return read("out");
    }

    private String err() {
        return read("err");
    }

    private String read(String name) {
        try {
            return Files.readString(folder.resolve(name));
        } catch (IOException unreadable) {
            return unreadable.toString();
        }
    }
}

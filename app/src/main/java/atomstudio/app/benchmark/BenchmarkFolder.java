package atomstudio.app.benchmark;

import atomstudio.app.cluster.RunLease;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.run.RunFolder;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The files of a benchmark. They are its only state: what remains to be done, and the table, follow from them.
public record BenchmarkFolder(Path folder) {
    private static final Gson INDENTED = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    public BenchmarkFolder {
        folder = folder.toAbsolutePath().normalize();
    }

    public boolean exists() {
        return Files.isRegularFile(settingsFile());
    }

    public Path settingsFile() {
        return folder.resolve("benchmark.json");
    }

    private Path planFile() {
        return folder.resolve("plan.jsonl");
    }

    public BenchmarkSettings settings() throws Failure {
        if (!exists())
            throw new Failure.Unreadable(folder + ": expected a benchmark with benchmark.json, found none; start it "
                    + "first, or only plan it with --plan");
        return BenchmarkSettings.read(settingsFile());
    }

    /// The runs in the order of the plan.
    public List<BenchmarkRun> runs() throws Failure {
        List<BenchmarkRun> runs = new ArrayList<>();
        String text = read(planFile()).orElse("");
        for (String line : text.lines().toList()) runs.add(BenchmarkRun.parse(Json.parse(planFile().toString(), line)));
        return runs;
    }

    /// Writes the settings, and adds the runs that the plan lacks at its end: line numbers of the plan never change.
    /// @throws Failure.Incompatible if the folder has other settings
    public List<BenchmarkRun> plan(BenchmarkSettings settings, List<BenchmarkRun> requested) throws Failure {
        if (exists()) {
            Optional<String> difference = settings().difference(settings);
            if (difference.isPresent())
                throw new Failure.Incompatible(folder + ": the benchmark was started with other settings: "
                        + difference.get() + "; use the same settings, or another --out");
        }
        Map<String, BenchmarkRun> runs = new LinkedHashMap<>();
        if (exists()) runs().forEach(run -> runs.put(run.name(), run));
        requested.forEach(run -> runs.putIfAbsent(run.name(), run));
        StringBuilder lines = new StringBuilder();
        runs.values().forEach(run -> lines.append(run.toJson()).append('\n'));
        write(planFile(), lines.toString());
        writeJson(settingsFile(), settings.toJson());
        return List.copyOf(runs.values());
    }

    RunFiles files(BenchmarkRun run) {
        return new RunFiles(folder.resolve("runs").resolve(run.name()));
    }

    /// How far a run is.
    public State state(BenchmarkRun run) throws Failure {
        return files(run).state();
    }

    /// Why the last try of a run failed.
    public Optional<String> failure(BenchmarkRun run) throws Failure {
        return files(run).failure();
    }

    static void writeJson(Path file, JsonElement json) throws Failure {
        write(file, INDENTED.toJson(json) + "\n");
    }

    static void write(Path file, String text) throws Failure {
        AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    /// The content of a file; empty without one. Opens the file instead of checking that it exists: on a network file
    /// system that answer may be old.
    private static Optional<String> read(Path file) throws Failure {
        try {
            return Optional.of(Files.readString(file));
        } catch (NoSuchFileException missing) {
            return Optional.empty();
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /// How far a run is.
    public enum State { FINISHED, RUNNING, FAILED, UNFINISHED, NOT_STARTED }

    /// The files of one run. A stage is done once its last file exists; every file is written beside and moved.
    record RunFiles(Path folder) {
        /// The training run.
        RunFolder training() {
            return new RunFolder(folder.resolve("training"));
        }

        Path image(int prompt, int seed) {
            return folder.resolve("images").resolve(imageName(prompt, seed));
        }

        static String imageName(int prompt, int seed) {
            return "%02d-%d.png".formatted(prompt, seed);
        }

        Path embeddings() {
            return folder.resolve("embeddings.safetensors");
        }

        private Path resultFile() {
            return folder.resolve("result.json");
        }

        private Path failureFile() {
            return folder.resolve("failed.json");
        }

        /// Written last; empty while the run is not finished.
        Optional<RunResult> result() throws Failure {
            Optional<String> text = read(resultFile());
            return text.isEmpty() ? Optional.empty()
                    : Optional.of(RunResult.parse(Json.parse(resultFile().toString(), text.get())));
        }

        void write(RunResult result) throws Failure {
            writeJson(resultFile(), result.toJson());
            clearFailure();
        }

        /// Why the last try failed.
        Optional<String> failure() throws Failure {
            Optional<String> text = read(failureFile());
            return text.isEmpty() ? Optional.empty()
                    : Optional.of(Json.parse(failureFile().toString(), text.get()).string("reason"));
        }

        void writeFailure(String reason) throws Failure {
            JsonObject json = new JsonObject();
            json.addProperty("reason", reason);
            writeJson(failureFile(), json);
        }

        void clearFailure() throws Failure {
            try {
                Files.deleteIfExists(failureFile());
            } catch (IOException e) {
                throw new Failure.Unwritable(failureFile() + ": cannot be deleted: " + e.getMessage(), e);
            }
        }

        State state() throws Failure {
            if (result().isPresent()) return State.FINISHED;
            if (RunLease.isHeld(folder)) return State.RUNNING;
            if (failure().isPresent()) return State.FAILED;
            return Files.isDirectory(folder) ? State.UNFINISHED : State.NOT_STARTED;
        }
    }

    /// The result of a finished run besides its embeddings.
    /// @param bytes      of the adapter file
    /// @param black      images without content
    /// @param encoder    description of the CLIP encoder
    /// @param time       not in the table: it differs between equal runs
    record RunResult(long parameters, long bytes, int black, String encoder, RunTime time) {
        /// @param imageSeconds mean of an image; 0 if all existed when the run was continued
        /// @param peakMemory   of the training process, in bytes
        record RunTime(double trainingSeconds, double imageSeconds, long peakMemory) {}

        JsonObject toJson() {
            JsonObject json = new JsonObject();
            json.addProperty("parameters", parameters);
            json.addProperty("bytes", bytes);
            json.addProperty("black", black);
            json.addProperty("encoder", encoder);
            json.addProperty("trainingSeconds", time.trainingSeconds);
            json.addProperty("imageSeconds", time.imageSeconds);
            json.addProperty("peakMemory", time.peakMemory);
            return json;
        }

        static RunResult parse(Json json) throws Failure {
            return new RunResult(json.integer("parameters"), json.integer("bytes"),
                    json.integer("black", 0, Integer.MAX_VALUE), json.string("encoder"),
                    new RunTime(json.number("trainingSeconds"), json.number("imageSeconds"),
                            json.integer("peakMemory")));
        }
    }
}

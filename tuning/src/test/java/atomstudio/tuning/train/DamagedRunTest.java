package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Mutations;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.run.EventLog;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.run.TrainingReport;
import atomstudio.tuning.run.TrainingState;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DamagedRunTest {
    @TempDir
    static Path shared;
    @TempDir
    Path folder;
    private static DiffusionModel model;
    private static Path unfinished;
    private static Path finished;
    private Path run;

    /// Stops after the third step.
    private static final class StopAfterThreeSteps implements RunControl, EventSink {
        private int done;

        @Override
        public RunCommand command() {
            return done >= 3 ? RunCommand.STOP : RunCommand.CONTINUE;
        }

        @Override
        public void emit(TrainingEvent event) {
            if (event instanceof TrainingEvent.Step step) done = step.step();
        }
    }

    @BeforeAll
    static void train() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
        Path photos = Files.createDirectory(shared.resolve("photos"));
        for (int i = 0; i < 2; i++)
            PngWriter.write(photos.resolve("photo" + i + ".png"), RunTest.photo(i), Map.of());
        TrainingRequest request = TrainingRequest
                .of(model.path(), photos, "thing", MethodSettings.parse("atoms", Map.of("atoms", "2")))
                .withSteps(6)
                .withLearningRate(1e-2);
        unfinished = shared.resolve("unfinished");
        StopAfterThreeSteps stop = new StopAfterThreeSteps();
        service().run(request, unfinished, stop, stop);
        finished = shared.resolve("finished");
        service().run(request.withSteps(2), finished, RunControl.none(), EventSink.none());
    }

    @BeforeEach
    void copy() throws IOException {
        run = copy(unfinished, folder.resolve("run"));
    }

    private static Path copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) Files.copy(file, to.resolve(from.relativize(file).toString()));
        }
        return to;
    }

    private static TrainingService service() {
        return new TrainingService(new TrainingEnvironment(Device.CPU, 1, RunTest.home()));
    }

    private TrainingService.TrainingOutcome resume() throws Failure {
        return service().resume(run, RunControl.none(), EventSink.none());
    }

    /// Hashes of all files of the run except the lock.
    private Map<String, String> contents() throws Exception {
        Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(run)) {
            for (Path file : files.filter(Files::isRegularFile).filter(file -> !file.endsWith("lock")).toList())
                contents.put(run.relativize(file).toString(), Sha256.of(file));
        }
        return contents;
    }

    private void describe(String key, String value) throws IOException {
        JsonObject json = JsonParser.parseString(Files.readString(run.resolve("run.json"))).getAsJsonObject();
        JsonObject target = json;
        String[] path = key.split(" ");
        for (int i = 0; i + 1 < path.length; i++)
            target = path[i].endsWith("[0]")
                    ? target.getAsJsonArray(path[i].replace("[0]", "")).get(0).getAsJsonObject()
                    : target.getAsJsonObject(path[i]);
        JsonElement parsed = JsonParser.parseString(value);
        if (value.equals("absent")) target.remove(path[path.length - 1]);
        else target.add(path[path.length - 1], parsed);
        Files.writeString(run.resolve("run.json"), json.toString());
    }

    private void assertRejectedUntouched(String part) throws Exception {
        Map<String, String> before = contents();
        String message = assertThrows(Failure.class, this::resume).getMessage();
        assertTrue(message.contains(run.toString()) && message.contains(part), message);
        assertEquals(before, contents());
    }

    @Test
    void resumesAnUndamagedRun() throws Exception {
        TrainingReport report = assertInstanceOf(TrainingService.TrainingOutcome.Finished.class, resume()).report();
        assertEquals(6, report.steps());
        assertTrue(Double.isFinite(report.loss().orElseThrow()));
        assertEquals(Sha256.of(run.resolve("adapter.safetensors")), report.adapterFile().sha256().orElseThrow());
    }

    @ParameterizedTest @CsvSource(delimiter = '|', value = {
            "batch-size|0", "batch-size|-1", "batch-size|1099511627782", "batch-size|7", "batch-size|1.5",
            "batch-size|\"2\"", "batch-size|[]", "batch-size|null", "batch|2",
            "resolution|7", "resolution|8", "resolution|0", "resolution|1e9", "size|16",
            "class|\"\"", "class|\" \"", "class|7", "class|\"other\"",
            "token|\"<script>alert(1)</script>\"", "token|{}", "token|absent", "method|\"lora\"",
            "method|\"none such\"", "method|[]", "settings atoms|[1,2]", "settings atoms|{}", "settings atoms|\"3\"",
            "settings atoms|2", "settings|7", "settings wing|\"1\"",
            "pictures|[]", "pictures|7", "pictures|[1]", "pictures|{}",
            "pictures[0] name|\"\\u0000\"", "pictures[0] name|\"../../../../etc/passwd\"", "pictures[0] name|\"..\"",
            "pictures[0] name|\"a\\\\b\"", "pictures[0] name|7", "pictures[0] name|\"01.png\"",
            "pictures[0] sha256|\"\"", "pictures[0] sha256|[]", "pictures[0] captions|[7]", "pictures[0] mask|\"x\"",
            "captions|[]", "captions|{}", "captions|[{}]", "captions|[\"\"]",
            "model|[]", "model path|\"a\\u0000b\"", "model path|\"\"", "model path|7", "model hash|\"other\"",
            "model vae|\"\\u0000\"", "model vae|[]", "model tokenizer|\"\\u0000\"", "model prediction|\"both\"",
            "model prediction|[]",
            "recipe|[]", "recipe steps|-5", "recipe steps|2", "recipe steps|4294967296", "recipe steps|\"x\"",
            "recipe learning-rate|\"NaN\"", "recipe learning-rate|1e999", "recipe learning-rate|0.5",
            "recipe rate|0.01", "recipe seed|1e99", "recipe seed|3", "recipe batch-size|3",
            "recipe resolution|16", "recipe crop|[]", "recipe captions|\"yes\"", "recipe class-images|\"/etc\"",
            "recipe ema-decay|1.5", "recipe cached-noise-samples|4294967297",
            "class-images|[{\"name\":\"../x\",\"sha256\":\"y\"}]", "class-images|7", "numbers|0", "numbers|{}",
            "created|\"yesterday\"", "created|7", "format|1", "format|3", "format|4294967298"})
    void rejectsChangedDescriptionAndLeavesTheRunAlone(String key, String value) throws Exception {
        describe(key, value);
        if (key.equals("recipe class-images")) describe("recipe prior-loss-weight", "1");
        assertRejectedUntouched("");
        if (!Set.of("pictures[0] name", "format", "model hash").contains(key)) {
            String message = assertThrows(Failure.class, this::resume).getMessage();
            assertTrue(message.contains(key.replaceFirst(".* ", "")) || key.equals("settings wing"), message);
        }
    }

    @Test
    void resumesARunWithTheNamesOfOlderVersions() throws Exception {
        JsonObject json = JsonParser.parseString(Files.readString(run.resolve("run.json"))).getAsJsonObject();
        renameToAliases(json);
        renameToAliases(json.getAsJsonObject("recipe"));
        assertTrue(json.has("batch") && json.has("size") && json.getAsJsonObject("recipe").has("rate"),
                json.toString());
        Files.writeString(run.resolve("run.json"), json.toString());
        checkpoint((_, metadata) -> metadata.put("rate", metadata.remove("learning-rate")));
        assertEquals(new RunFolder(unfinished).info(), new RunFolder(run).info());
        TrainingReport report = assertInstanceOf(TrainingService.TrainingOutcome.Finished.class, resume()).report();
        run = copy(unfinished, folder.resolve("new"));
        TrainingReport same = assertInstanceOf(TrainingService.TrainingOutcome.Finished.class, resume()).report();
        assertEquals(same.adapterFile(), report.adapterFile());
    }

    private static void renameToAliases(JsonObject json) {
        for (TrainingSetting setting : TrainingSetting.values())
            for (String alias : setting.aliases())
                if (json.has(setting.option())) json.add(alias, json.remove(setting.option()));
    }

    private void checkpoint(BiConsumer<Map<String, Tensor>, Map<String, String>> change) throws Exception {
        Path file = run.resolve("checkpoint.safetensors");
        Map<String, Tensor> tensors = new HashMap<>();
        Map<String, String> metadata;
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            for (String name : read.tensors().keySet()) tensors.put(name, read.read(name));
            metadata = new HashMap<>(read.metadata());
        }
        change.accept(tensors, metadata);
        SafetensorsWriter.write(file, tensors, metadata);
    }

    @ParameterizedTest
    @CsvSource({"steps,-3", "steps,2000000000", "steps,7", "steps,1.5", "steps,x", "training.watched,1e99",
            "training.watched,-1", "training.watched,NaN", "training.watched,4", "training.loss,NaN",
            "training.loss,Infinity", "training.seconds,-1", "training.seconds,NaN", "training.threads,0",
            "training.threads,1e12", "training.half,NaN", "training.best-step,9",
            "learning-rate,NaN", "learning-rate,0.5", "rate,0.01", "seed,9",
            "token,other",
            "class,other", "method,lora"})
    void rejectsChangedCheckpointMetadata(String key, String value) throws Exception {
        checkpoint((tensors, metadata) -> metadata.put(key, value));
        assertRejectedUntouched("");
        copyCheckpointIntoFinished();
        assertThrows(Failure.class, this::resume, "also of a finished run");
    }

    /// A finished run keeps its checkpoint, so that steps can be added.
    private void copyCheckpointIntoFinished() throws IOException {
        Path ended = copy(finished, folder.resolve("ended"));
        Files.copy(run.resolve("checkpoint.safetensors"), ended.resolve("checkpoint.safetensors"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        run = ended;
    }

    @Test
    void rejectsInvalidMoments() throws Exception {
        for (String name : new String[] {"training.first", "training.second"}) {
            for (float wrong : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
                checkpoint((tensors, _) -> tensors.get(name).data()[5] = wrong);
                assertRejectedUntouched(name);
                Files.copy(unfinished.resolve("checkpoint.safetensors"), run.resolve("checkpoint.safetensors"),
                        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            }
        }
        checkpoint((tensors, _) -> tensors.get("training.second").data()[5] = -1e-3f);
        assertRejectedUntouched("training.second");
    }

    @Test
    void rejectsCheckpointWithoutOptimizerState() throws Exception {
        checkpoint((tensors, _) -> tensors.remove("training.second"));
        assertRejectedUntouched("no second");
    }

    @Test
    void rejectsTheDamagedRunsOfTheCases() throws Exception {
        try (Stream<Path> files = Files.list(Shared.file("cases/faults"))) {
            List<Path> runs = files.filter(file -> Files.isRegularFile(file.resolve("run.json"))).sorted().toList();
            assertEquals(28, runs.size());
            for (Path damaged : runs) {
                RunFolder folder = new RunFolder(damaged);
                String message = assertThrows(Failure.class, () -> folder.requireConsistent(folder.info()),
                        damaged.toString()).getMessage();
                assertTrue(message.startsWith(damaged + "/") && message.contains(": "), message);
            }
        }
    }

    @Test @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void readsOrRejectsMutatedFiles() throws Exception {
        change(60, 40);
    }

    @Test @Tag("slow")
    void readsOrRejectsManyMutatedFiles() throws Exception {
        change(1000, 41);
    }

    private void change(int times, long seed) throws Exception {
        Mutations mutations = new Mutations(seed);
        RunFolder folder = new RunFolder(run);
        ParameterLayout layout = ParameterLayout.of(folder.info().method().method(), model.trainableLayers());
        RunInfo info = folder.info();
        int rejected = mutations.run(run.resolve("run.json"), 4 * times, () -> folder.requireConsistent(folder.info()));
        rejected += mutations.run(run.resolve("checkpoint.safetensors"), 4 * times,
                () -> TrainingState.read(run.resolve("checkpoint.safetensors"), layout, info));
        rejected += mutations.run(run.resolve("events.jsonl"), 2 * times, folder::events);
        Path ended = copy(finished, this.folder.resolve("finished"));
        rejected += mutations.run(ended.resolve("report.json"), 2 * times, () -> new RunFolder(ended).latestAdapter());
        rejected += mutations.run(ended.resolve("adapter.safetensors"), times,
                () -> new RunFolder(ended).latestAdapter());
        assertTrue(rejected > 4 * times, rejected + " rejected");
    }

    @Test
    void rejectsInvalidReportAndChangedAdapter() throws Exception {
        run = copy(finished, folder.resolve("reported"));
        Path report = run.resolve("report.json");
        String original = Files.readString(report);
        assertTrue(new RunFolder(run).latestAdapter().isPresent());
        for (String wrong : new String[] {"\"steps\":[2]", "\"steps\":-1", "\"steps\":4294967298", "\"steps\":\"2\""}) {
            Files.writeString(report, original.replaceFirst("\"steps\":\\d+", wrong));
            assertTrue(assertThrows(Failure.class, () -> new RunFolder(run).trainingReport()).getMessage()
                    .contains("steps"));
        }
        Files.writeString(report, original.replaceFirst("\"loss\":[^,]+", "\"loss\":NaN"));
        assertTrue(
                assertThrows(Failure.class, () -> new RunFolder(run).trainingReport()).getMessage().contains("loss"));
        Files.writeString(report, original.replaceFirst("\"loss\":[^,]+", "\"loss\":null"));
        assertTrue(new RunFolder(run).trainingReport().orElseThrow().loss().isEmpty());
        Files.writeString(report, original);
        byte[] bytes = Files.readAllBytes(run.resolve("adapter.safetensors"));
        bytes[bytes.length - 2] ^= 1;
        Files.write(run.resolve("adapter.safetensors"), bytes);
        assertTrue(assertThrows(Failure.class, () -> new RunFolder(run).latestAdapter()).getMessage()
                .contains("expected the adapter of report.json"));
    }

    @Test
    void writesNonFiniteLossAsNull() throws Exception {
        Path file = folder.resolve("report.json");
        new TrainingReport(1, new TrainingReport.AdapterFileInfo(1, java.util.Optional.empty()), 1, 1,
                java.util.OptionalDouble.empty(), 0.5, 1, java.util.OptionalInt.empty()).write(file);
        assertTrue(Files.readString(file).contains("\"loss\":null"));
        assertTrue(TrainingReport.read(file).loss().isEmpty());
        Path events = folder.resolve("events.jsonl");
        try (EventLog log = EventLog.resume(events, 0, 0)) {
            log.append(new TrainingEvent.Validation(1, "held out", Double.NaN, 0));
        }
        assertFalse(Files.readString(events).contains("NaN"));
        assertInstanceOf(TrainingEvent.Validation.class, EventLog.read(events).getFirst().event());
    }

    @Test
    void rejectsInvalidEventByItsLine() throws Exception {
        Files.writeString(run.resolve("events.jsonl"), "{\"time\":1,\"kind\":\"checkpoint\",\"step\":4294967296}\n",
                StandardOpenOption.APPEND);
        int lines = Files.readAllLines(run.resolve("events.jsonl")).size();
        assertTrue(assertThrows(Failure.class, () -> new RunFolder(run).events()).getMessage()
                .contains("line " + lines + ": step"));
    }

    @Test
    void hashDetectsAModelChangedInPlaceWithItsOldTime() throws Exception {
        Path other = copy(model.path(), folder.resolve("model"));
        Path weights = other.resolve("unet/diffusion_pytorch_model.safetensors");
        BaseModelHashes hashes = new BaseModelHashes(folder.resolve("hashes.json"));
        String before = hashes.hash(DiffusionModel.open(other));
        assertEquals(before, hashes.hash(DiffusionModel.open(other)));
        FileTime time = Files.getLastModifiedTime(weights);
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 100] ^= 1;
        try (var channel = java.nio.channels.FileChannel.open(weights, StandardOpenOption.WRITE)) {
            channel.write(java.nio.ByteBuffer.wrap(bytes), 0);
        }
        Files.setLastModifiedTime(weights, time);
        assertFalse(before.equals(hashes.hash(DiffusionModel.open(other))));
        assertArrayEquals(bytes, Files.readAllBytes(weights));
    }
}

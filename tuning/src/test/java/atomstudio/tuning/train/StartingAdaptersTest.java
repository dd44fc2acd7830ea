package atomstudio.tuning.train;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.StartingAdapters;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.export.MergedExport;
import atomstudio.tuning.export.PerturbedAdapter;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Runs that continue an adapter, or train on top of one.
class StartingAdaptersTest {
    @TempDir
    static Path shared;
    @TempDir
    Path folder;
    private static DiffusionModel model;
    private static Path photos;

    @BeforeAll
    static void prepare() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
        photos = Files.createDirectory(shared.resolve("subject"));
        for (int i = 0; i < 2; i++) PngWriter.write(photos.resolve(i + ".png"), RunTest.photo(i), Map.of());
    }

    private Path adapter(String method) throws Failure {
        Path file = folder.resolve("start-" + method + ".safetensors");
        PerturbedAdapter.of(model, new BaseModelHashes(folder.resolve("hashes.json")), settings(method)).write(file);
        return file;
    }

    private static MethodSettings settings(String method) throws Failure {
        return MethodSettings.parse(method, Map.of());
    }

    private static TrainingRequest request(Path base, MethodSettings method, int steps) {
        TrainingRequest request = TrainingRequest.of(base, photos, "thing", method)
                .withSteps(steps)
                .withLearningRate(1e-3);
        return request.with(request.config().with(TrainingSetting.WARMUP_STEPS, 0));
    }

    private TrainingRequest continuing(Path file, int steps) throws Failure {
        StartingAdapters.Continued continued = StartingAdapters.Continued.read(file, model);
        return request(model.path(), continued.adapter().method(), steps)
                .startingFrom(new StartingAdapters(Optional.of(continued), Optional.empty()));
    }

    private static TrainingRequest on(Path file, double weight, MethodSettings method, int steps) {
        return request(model.path(), method, steps).startingFrom(new StartingAdapters(Optional.empty(),
                Optional.of(new StartingAdapters.Merged(file, weight))));
    }

    private static TrainingService tuning() {
        return new TrainingService(new TrainingEnvironment(Device.CPU, 1, RunTest.home()));
    }

    private AdapterFile trained(TrainingRequest request, String name) throws Failure {
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                tuning().run(request, folder.resolve(name), RunControl.none(), EventSink.none()));
        return new RunFolder(folder.resolve(name)).latestAdapter().orElseThrow();
    }

    private AdapterFile trainedWithStop(TrainingRequest request, String name, Path deleted) throws Exception {
        List<TrainingEvent> heard = new ArrayList<>();
        RunControl twoSteps = () -> heard.stream().filter(TrainingEvent.Step.class::isInstance).count() < 2
                ? RunControl.RunCommand.CONTINUE
                : RunControl.RunCommand.STOP;
        Path run = folder.resolve(name);
        assertInstanceOf(TrainingService.TrainingOutcome.Stopped.class,
                tuning().run(request, run, twoSteps, heard::add));
        Files.delete(deleted);
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                tuning().resume(run, RunControl.none(), EventSink.none()));
        return new RunFolder(run).latestAdapter().orElseThrow();
    }

    /// AdamW's first step changes every value by at most its learning rate; that of a word is 5e-3.
    @ParameterizedTest @ValueSource(strings = {"lora", "atoms+word", "oft"})
    void trainingGoesOnFromTheAdapter(String method) throws Exception {
        Path file = adapter(method);
        AdapterFile start = AdapterFile.read(file), found = trained(continuing(file, 1).withLearningRate(1e-6), "run");
        assertEquals(start.values().keySet(), found.values().keySet());
        double distance = 0;
        for (String key : start.values().keySet()) {
            float[] before = start.values().get(key).data(), after = found.values().get(key).data();
            for (int i = 0; i < before.length; i++) distance = Math.max(distance, Math.abs(before[i] - after[i]));
        }
        assertTrue(distance > 0 && distance < 6e-3, "distance " + distance);
    }

    @Test
    void continuedRunResumesExactlyWithoutTheFile() throws Exception {
        Path file = adapter("lora");
        AdapterFile expected = trained(continuing(file, 4), "whole");
        AdapterFile found = trainedWithStop(continuing(file, 4), "stopped", file);
        assertEquals(expected.values().keySet(), found.values().keySet());
        for (String key : expected.values().keySet())
            assertClose(key, expected.values().get(key), found.values().get(key), 0);
        assertEquals("start-lora.safetensors",
                new RunFolder(folder.resolve("whole")).info().continued().orElseThrow().fileName());
    }

    /// Training on top of an adapter equals training on a model exported with the adapter merged in.
    @ParameterizedTest @ValueSource(strings = {"atoms", "lora", "oft"})
    void trainingOnAnAdapterEqualsTrainingOnTheMergedModel(String method) throws Exception {
        Path file = adapter("locon");
        Path merged = folder.resolve("merged");
        new MergedExport(model, List.of(new WeightedAdapter(AdapterFile.read(file).toAdapter("", model), 0.5)),
                MergedExport.Precision.FLOAT32, TorchSettings.standard().withThreads(1)).writeFolder(merged);
        AdapterFile expected = trained(request(merged, settings(method), 3), "on-merged");
        AdapterFile plain = trained(request(model.path(), settings(method), 3), "on-base");
        AdapterFile found = trainedWithStop(on(file, 0.5, settings(method), 3), "on-adapter", file);
        double distance = 0;
        for (String key : expected.values().keySet()) {
            assertClose(key, expected.values().get(key), found.values().get(key), 2e-4);
            distance += plain.values().get(key).zip(found.values().get(key), (a, b) -> a - b).squaredNorm();
        }
        assertTrue(distance > 1e-6, "the merged adapter has no effect: " + distance);
        assertEquals("start-locon.safetensors:0.5", found.base().merged().orElseThrow().text());
        assertTrue(found.warnings(model).getFirst().contains("start-locon.safetensors:0.5 merged in"));
        assertEquals(plain.base().hash(), found.base().hash());
    }

    @Test
    void anotherStartIsRefusedAndNamed() throws Exception {
        Path file = adapter("lora");
        trained(continuing(file, 1), "run");
        Path copy = Files.copy(file, folder.resolve("other.safetensors"));
        assertTrue(refusal(continuing(copy, 1), "run").contains("from: the run has start-lora.safetensors"));
        assertTrue(refusal(on(file, 1, settings("lora"), 1), "run").contains("on: the run has none"));
        Path merged = adapter("loha");
        trained(on(merged, 1, settings("lora"), 1), "merged");
        assertTrue(refusal(on(merged, 0.5, settings("lora"), 1), "merged").contains("on: the run has"));
        Path inRun = new RunFolder(folder.resolve("merged")).mergedAdapter().resolve(merged.getFileName());
        Files.copy(file, inRun, StandardCopyOption.REPLACE_EXISTING);
        assertTrue(assertThrows(Failure.Unreadable.class,
                () -> tuning().resume(folder.resolve("merged"), RunControl.none(), EventSink.none())).getMessage()
                .contains("found another file"));
    }

    @Test
    void nothingIsWrittenForAnAdapterThatDoesNotFit() throws Exception {
        DiffusionModel other = TinyModel.make(folder.resolve("other"), "sd2");
        Path file = folder.resolve("sd2.safetensors");
        PerturbedAdapter.of(other, new BaseModelHashes(folder.resolve("hashes.json")), settings("lora")).write(file);
        assertThrows(Failure.Incompatible.class, () -> continuing(file, 1));
        assertTrue(refusal(on(file, 1, settings("atoms"), 1), "run").contains("does not fit"));
        TrainingRequest otherMethod = continuing(adapter("lora"), 1);
        assertTrue(refusal(request(model.path(), settings("atoms"), 1).startingFrom(otherMethod.start()), "run")
                .contains("expected an adapter of method atoms"));
        assertFalse(Files.exists(folder.resolve("run")));
    }

    private String refusal(TrainingRequest request, String name) {
        return String.valueOf(assertThrows(Failure.Incompatible.class,
                () -> tuning().run(request, folder.resolve(name), RunControl.none(), EventSink.none())).getMessage());
    }
}

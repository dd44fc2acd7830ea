package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.torch.SamplingMemory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The parts of an estimate.
class TrainingEstimateTest {
    private static final MethodSettings ATOMS = MethodSettings.of(MethodName.ATOMS);
    private static final MethodSettings LORA = MethodSettings.of(MethodName.LORA);
    @TempDir
    static Path shared;
    @TempDir
    Path folder;
    private static DiffusionModel model;
    private static Path photoFolder;
    private static Path home;

    @BeforeAll
    static void prepare() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
        photoFolder = Files.createDirectory(shared.resolve("subject"));
        for (int i = 0; i < 5; i++)
            PngWriter.write(photoFolder.resolve("picture" + i + ".png"), RunTest.photo(i), Map.of());
        home = Files.createDirectory(shared.resolve("home"));
        Files.createSymbolicLink(home.resolve("natives"), Files.createDirectories(RunTest.home().resolve("natives")));
    }

    private static TrainingConfig config(MethodSettings method, int steps) {
        return TrainingConfig.of(method).with(TrainingSetting.STEPS, steps);
    }

    private static TrainingConfig previewed(TrainingConfig config, int every) {
        return config.with(TrainingSetting.PREVIEW_EVERY, every);
    }

    private static TrainingConfig withPrior(TrainingConfig config) {
        return config.with(Map.of(TrainingSetting.CLASS_IMAGES, TrainingConfig.PriorPreservation.AUTO,
                TrainingSetting.PRIOR_LOSS_WEIGHT, 1.0));
    }

    private static RunInfo info(MethodSettings method, TrainingConfig config, int photos) {
        List<RunInfo.PhotoInfo> names = Collections.nCopies(photos, new RunInfo.PhotoInfo("a.png", "", "", List.of()));
        return new RunInfo(new RunInfo.BaseModelInfo(model.path(), model.name(), ""),
                new RunInfo.SubjectInfo("thing", "sks", names, List.of("a sks thing")), method,
                new RunInfo.ResolvedConfig(config, 1, model.defaultImageSize()), 1, "");
    }

    private static ParameterLayout layout(MethodSettings method) {
        return ParameterLayout.of(method.method(), model.trainableLayers());
    }

    private static long memory(MethodSettings method, TrainingConfig config, ParameterLayout layout) throws Exception {
        return MemoryEstimate.PredictedMemory
                .of(info(method, config, 3), model, layout, ComputeMode.predicted(config, model))
                .bytes();
    }

    private static long memory(MethodSettings method, TrainingConfig config) throws Exception {
        return memory(method, config, layout(method));
    }

    @Test
    void memoryIncludesSparseCodes() throws Exception {
        MethodSettings sparse = ATOMS.with(MethodSetting.CODING, "sparse").with(MethodSetting.ATOMS, "12");
        ParameterLayout whole = layout(sparse);
        ParameterLayout without = new ParameterLayout(whole.method(), whole.trained(), whole.frozen(), List.of());
        assertTrue(whole.derivedElementCount() > 0);
        assertEquals(4 * whole.derivedElementCount(),
                memory(sparse, config(sparse, 10), whole) - memory(sparse, config(sparse, 10), without));
    }

    @Test
    void memoryIncludesATrainedTextEncoder() throws Exception {
        MethodSettings both = LORA.with(MethodSetting.TRAIN_TEXT_ENCODER, "yes");
        long more = memory(both, config(both, 10)) - memory(LORA, config(LORA, 10));
        long weights = 4 * Layer.parameterCount(model.textEncoder().layers());
        long parameters = 4 * 8 * (layout(both).size() - layout(LORA).size());
        assertTrue(more > weights + parameters,
                more + " bytes: its weights " + weights + ", its parameters " + parameters + ", and its activations");
    }

    @Test
    void memoryIncludesPreviewsAndClassImages() throws Exception {
        SamplingMemory sampling = new SamplingMemory(model, layout(ATOMS));
        long latent = model.defaultImageSize() / model.vae().downsamplingFactor();
        assertTrue(sampling.weights() > 0
                && sampling.weights() < 4 * Layer.parameterCount(model.vae().layers()));
        assertTrue(sampling.activations(2 * latent, 2 * latent) > 3 * sampling.activations(latent, latent));
        long plain = memory(ATOMS, config(ATOMS, 10));
        long previewed = memory(ATOMS, previewed(config(ATOMS, 10), 5));
        assertTrue(previewed >= plain + sampling.weights(), previewed + " with previews, " + plain + " without");
        assertEquals(previewed, memory(ATOMS, withPrior(config(ATOMS, 10))));
    }

    @Test
    void timeIncludesPreviewsValidationsAndClassImages() throws Exception {
        TrainingConfig plain = config(ATOMS, 40);
        assertEquals(0, watched(plain), 1e-9);
        assertTrue(watched(previewed(plain, 5)) > 0);
        assertTrue(watched(plain.with(TrainingConfig.Feature.VALIDATE)) > 0);
        assertTrue(estimate(withPrior(plain)).time().setupSeconds() > estimate(plain).time().setupSeconds());
    }

    private static double watched(TrainingConfig config) throws Exception {
        TrainingEstimate.TimeEstimate time = estimate(config).time();
        return time.totalSeconds() - time.setupSeconds() - config.schedule().steps() * time.stepSeconds();
    }

    private static TrainingEstimate estimate(TrainingConfig config) throws Exception {
        return new TrainingService(new TrainingEnvironment(Device.CPU, 1, home))
                .estimate(TrainingRequest.of(model.path(), photoFolder, "thing", ATOMS).with(config));
    }

    @Test
    void evaluationPlanCountsPreviewsAndValidationsOfARun() throws Exception {
        TrainingConfig config = previewed(config(ATOMS, 7), 3).with(TrainingConfig.Feature.VALIDATE);
        Path run = folder.resolve("run");
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                new TrainingService(new TrainingEnvironment(Device.CPU, 1, home)).run(
                        TrainingRequest.of(model.path(), photoFolder, "thing", ATOMS).with(config), run,
                        RunControl.none(),
                        EventSink.none()));
        List<TrainingEvent> events = new RunFolder(run).events().stream().map(TrainingEvent.Timed::event).toList();
        EvaluationPlan watching = EvaluationPlan.of(info(ATOMS, config, 5), model);
        assertEquals(4, watching.previewCount(), "of steps 0, 3, 6 and 7");
        assertEquals(events.stream().filter(TrainingEvent.Preview.class::isInstance).count(), watching.previewCount());
        assertEquals(events.stream().filter(TrainingEvent.Validation.class::isInstance).count(),
                watching.validationCount());
        assertEquals(0, EvaluationPlan.of(info(ATOMS, config(ATOMS, 7), 5), model).validationCount());
    }
}

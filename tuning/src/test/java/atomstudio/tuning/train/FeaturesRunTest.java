package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.data.PreparedData;
import atomstudio.tuning.data.UNetFeatureCache;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.run.TrainingReport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whole runs with various training settings.
class FeaturesRunTest {
    private static final MethodSettings ATOMS = MethodSettings.of(MethodName.ATOMS);
    @TempDir
    static Path shared;
    @TempDir
    Path folder;
    private static DiffusionModel model;
    private static Path photos;
    private static Path home;

    @BeforeAll
    static void prepare() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
        photos = Files.createDirectory(shared.resolve("subject"));
        for (int i = 0; i < 6; i++)
            PngWriter.write(photos.resolve("picture" + i + ".png"), RunTest.photo(i), Map.of());
        // The usual natives, but a separate home for what runs cache.
        home = Files.createDirectory(shared.resolve("home"));
        Files.createSymbolicLink(home.resolve("natives"), Files.createDirectories(RunTest.home().resolve("natives")));
    }

    /// A config with one feature.
    private static TrainingConfig configOf(int steps) {
        return TrainingConfig.of(ATOMS)
                .with(Map.of(TrainingSetting.STEPS, steps, TrainingSetting.LEARNING_RATE, 1e-2,
                        TrainingSetting.WARMUP_STEPS, 5, TrainingSetting.BATCH_SIZE, 2));
    }

    private static TrainingRequest request(TrainingConfig trainingConfig) {
        MethodSettings method = trainingConfig.data().cachedNoiseSamples() > 0 ? ATOMS.with(MethodSetting.LAYERS, "up")
                : ATOMS;
        return TrainingRequest.of(model.path(), photos, "thing", method).with(trainingConfig);
    }

    private TrainingService.TrainingOutcome run(TrainingConfig trainingConfig, String name, RunControl control,
            EventSink listener) throws Failure {
        return new TrainingService(new TrainingEnvironment(Device.CPU, 1, home)).run(request(trainingConfig),
                folder.resolve(name), control, listener);
    }

    private List<TrainingEvent> events(String name) throws Failure {
        return new RunFolder(folder.resolve(name)).events().stream().map(TrainingEvent.Timed::event).toList();
    }

    private byte[] adapter(String name) throws Exception {
        return Files.readAllBytes(folder.resolve(name).resolve("adapter.safetensors"));
    }

    private static TrainingConfig of(String kind, int steps) {
        TrainingConfig base = configOf(steps);
        return switch (kind) {
            case "plain" -> base;
            case "prodigy" -> base.with(Map.of(TrainingSetting.LEARNING_RATE, 1.0, TrainingSetting.WARMUP_STEPS, 0,
                    TrainingSetting.OPTIMIZER, TrainingConfig.OptimizerName.PRODIGY));
            case "muon" -> base.with(TrainingSetting.OPTIMIZER, TrainingConfig.OptimizerName.MUON);
            case "ema" -> base.with(Map.of(TrainingSetting.GRADIENT_ACCUMULATION, 2, TrainingSetting.EMA_DECAY, 0.9));
            case "random" ->
                    base.with(
                            Map.of(TrainingSetting.RESOLUTION, 16, TrainingSetting.CROP, TrainingConfig.CropMode.RANDOM,
                                    TrainingSetting.CAPTION_TEMPLATE, "a photo of {}"))
                            .with(TrainingConfig.Feature.FLIP);
            case "whole" -> base.with(Map.of(TrainingSetting.RESOLUTION, 24, TrainingSetting.CROP,
                    TrainingConfig.CropMode.WHOLE, TrainingSetting.MIN_SNR_GAMMA, 5.0, TrainingSetting.NOISE_OFFSET,
                    0.1));
            case "bank" -> base.with(Map.of(TrainingSetting.RESOLUTION, 16, TrainingSetting.CROP,
                    TrainingConfig.CropMode.RANDOM, TrainingSetting.CACHED_NOISE_SAMPLES, 8))
                    .with(TrainingConfig.Feature.FLIP);
            case "prior" -> base.with(Map.of(TrainingSetting.CLASS_IMAGES, photos.toString(),
                    TrainingSetting.PRIOR_LOSS_WEIGHT, 0.5));
            case "validate" -> base.with(Map.of(TrainingSetting.PREVIEW_EVERY, 4, TrainingSetting.VALIDATE, true));
            case "cosine" -> base.with(Map.of(TrainingSetting.WARMUP_STEPS, 2, TrainingSetting.LR_SCHEDULER,
                    TrainingConfig.LearningRateScheduler.COSINE));
            default -> throw new IllegalArgumentException(kind);
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"prodigy", "muon", "ema", "random", "whole", "bank", "prior", "validate", "cosine"})
    void stoppedRunWithFeaturesResumesExactly(String kind) throws Exception {
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                run(of(kind, 10), "straight", RunControl.none(), EventSink.none()));
        int[] done = {0};
        RunControl stop = () -> done[0] >= 6 ? RunControl.RunCommand.STOP : RunControl.RunCommand.CONTINUE;
        assertEquals(new TrainingService.TrainingOutcome.Stopped(6, 10), run(of(kind, 10), "stopped", stop,
                event -> done[0] = event instanceof TrainingEvent.Step step ? step.step() : done[0]));
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                new TrainingService(new TrainingEnvironment(Device.CPU, 1, home)).resume(folder.resolve("stopped"),
                        RunControl.none(), EventSink.none()));
        assertArrayEquals(adapter("straight"), adapter("stopped"));
        run(of("plain", 10), "plain", RunControl.none(), EventSink.none());
        assertFalse(Arrays.equals(adapter("plain"), adapter("straight")), "the setting has an effect");
    }

    @Test
    void autoPrecisionEqualsTheChosenPrecisionAndIsKeptOnResume() throws Exception {
        int[] done = {-1};
        RunControl stop = () -> done[0] >= 3 ? RunControl.RunCommand.STOP : RunControl.RunCommand.CONTINUE;
        run(precision(TrainingConfig.PrecisionMode.AUTO), "auto", stop,
                event -> done[0] = event instanceof TrainingEvent.Step step ? step.step() : done[0]);
        String chosen = events("auto").stream()
                .filter(TrainingEvent.Note.class::isInstance)
                .map(event -> ((TrainingEvent.Note) event).message())
                .filter(text -> text.startsWith("computed in "))
                .findFirst()
                .orElseThrow();
        assertEquals(new TrainingEvent.Checkpoint(0),
                events("auto").stream().filter(TrainingEvent.Checkpoint.class::isInstance).findFirst().orElseThrow(),
                "the choice is saved before the first step");
        run(precision(TrainingConfig.PrecisionMode.AUTO), "auto", RunControl.none(), EventSink.none());
        assertEquals(1, events("auto").stream()
                .filter(event -> event instanceof TrainingEvent.Note note && note.message().startsWith("computed in "))
                .count(), "chosen once");
        run(precision(chosen.startsWith("computed in bf16") ? TrainingConfig.PrecisionMode.BF16
                : TrainingConfig.PrecisionMode.FP32), "original", RunControl.none(), EventSink.none());
        assertArrayEquals(adapter("original"), adapter("auto"));
        run(precision(chosen.startsWith("computed in bf16") ? TrainingConfig.PrecisionMode.FP32
                : TrainingConfig.PrecisionMode.BF16), "other", RunControl.none(), EventSink.none());
        assertFalse(Arrays.equals(adapter("other"), adapter("auto")));
    }

    private static TrainingConfig precision(TrainingConfig.PrecisionMode precision) {
        return configOf(6).with(TrainingSetting.PRECISION, precision);
    }

    @Test
    void holdsOutOneOfFivePhotosAndKeepsTheBestStep() throws Exception {
        TrainingConfig trainingConfig = configOf(12)
                .with(Map.of(TrainingSetting.LEARNING_RATE, 0.5, TrainingSetting.WARMUP_STEPS, 0,
                        TrainingSetting.PREVIEW_EVERY, 3, TrainingSetting.VALIDATE, true));
        TrainingReport report = assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                run(trainingConfig, "run", RunControl.none(), EventSink.none())).report();
        List<TrainingEvent.Validation> validations = events("run").stream()
                .filter(TrainingEvent.Validation.class::isInstance)
                .map(TrainingEvent.Validation.class::cast)
                .toList();
        assertEquals(List.of(0, 3, 6, 9, 12), validations.stream().map(TrainingEvent.Validation::step).toList());
        int best = validations.stream()
                .skip(1)
                .min(java.util.Comparator.comparingDouble(TrainingEvent.Validation::value))
                .orElseThrow()
                .step();
        assertEquals(best, report.bestStep().orElseThrow());
        assertEquals(best, validations.getLast().bestStep());
        assertEquals(best, AdapterFile.read(folder.resolve("run/adapter.safetensors")).training().steps());
        assertArrayEquals(Files.readAllBytes(folder.resolve("run/best.safetensors")), adapter("run"));
        assertEquals(report, TrainingReport.read(folder.resolve("run/report.json")));
    }

    @Test
    void stopsEarlyWithoutImprovement() throws Exception {
        TrainingConfig trainingConfig = configOf(100)
                .with(Map.of(TrainingSetting.LEARNING_RATE, 0.9, TrainingSetting.WARMUP_STEPS, 0,
                        TrainingSetting.PREVIEW_EVERY, 2, TrainingSetting.EARLY_STOPPING, true));
        TrainingReport report = assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                run(trainingConfig, "run", RunControl.none(), EventSink.none())).report();
        assertTrue(report.steps() < 100, "ended at " + report.steps());
        assertEquals(report.steps(), report.bestStep().orElseThrow() + Validation.PATIENCE * 2);
        assertTrue(events("run").stream()
                .anyMatch(
                        event -> event instanceof TrainingEvent.Note note && note.message().contains("stopped early")));
        assertEquals(RunFolder.Status.FINISHED, new RunFolder(folder.resolve("run")).status());
    }

    @Test
    void warnsIfFewPhotosAndNoImageEncoderPreventValidation() throws Exception {
        Path few = Files.createDirectory(folder.resolve("few"));
        for (int i = 0; i < 4; i++) Files.copy(photos.resolve("picture" + i + ".png"), few.resolve(i + ".png"));
        TrainingRequest request = TrainingRequest.of(model.path(), few, "thing", ATOMS)
                .with(configOf(2).with(TrainingConfig.Feature.VALIDATE));
        List<TrainingEvent> events = new ArrayList<>();
        new TrainingService(new TrainingEnvironment(Device.CPU, 1, home)).run(request, folder.resolve("run"),
                RunControl.none(), events::add);
        assertTrue(events.stream()
                .anyMatch(event -> event instanceof TrainingEvent.Note note
                        && note.message().contains("5 or more photos")),
                events::toString);
    }

    @Test
    void classImagesAreGeneratedOnceAndReused() throws Exception {
        TrainingConfig trainingConfig = configOf(2).with(Map.of(TrainingSetting.CLASS_IMAGES,
                TrainingConfig.PriorPreservation.AUTO, TrainingSetting.PRIOR_LOSS_WEIGHT, 1.0));
        int[] original = {0};
        RunControl later = () -> ++original[0] > 100 ? RunControl.RunCommand.STOP : RunControl.RunCommand.CONTINUE;
        assertEquals(new TrainingService.TrainingOutcome.Stopped(0, 2),
                run(trainingConfig, "first", later, EventSink.none()), "stop is events while they are made");
        run(trainingConfig, "first", RunControl.none(), EventSink.none());
        List<TrainingEvent> events = new ArrayList<>();
        run(trainingConfig, "second", RunControl.none(), events::add);
        assertTrue(events.stream()
                .noneMatch(event -> event instanceof TrainingEvent.Note note && note.message().contains("making")),
                events::toString);
        assertArrayEquals(adapter("first"), adapter("second"));
        try (var files = Files.list(folder.resolve("first/prior"))) {
            assertEquals(ClassImages.COUNT, files.count());
        }
    }

    @Test
    void usesCaptionsOfClassImagesAndTheTemplate() throws Exception {
        Path others = Files.createDirectory(folder.resolve("others"));
        for (int i = 0; i < 3; i++)
            Files.copy(photos.resolve("picture" + i + ".png"), others.resolve("o" + i + ".png"));
        TrainingConfig trainingConfig = configOf(2).with(Map.of(TrainingSetting.CLASS_IMAGES, others.toString(),
                TrainingSetting.PRIOR_LOSS_WEIGHT, 1.0));
        TrainingConfig painted = trainingConfig
                .with(Map.of(TrainingSetting.RESOLUTION, 16, TrainingSetting.CAPTION_TEMPLATE,
                        "a painting of {}"));
        run(trainingConfig, "plain", RunControl.none(), EventSink.none());
        run(painted, "painted", RunControl.none(), EventSink.none());
        Files.writeString(others.resolve("o1.txt"), "an old {} in the rain");
        List<TrainingEvent> events = new ArrayList<>();
        run(trainingConfig, "captioned", RunControl.none(), events::add);
        assertFalse(Arrays.equals(adapter("plain"), adapter("captioned")), "the caption is trained on");
        String warnings = events.toString();
        assertTrue(warnings.contains("the captions beside the class images are used")
                && warnings.contains("no caption beside o0.png, o2.png; captioned \"a thing\""), warnings);
        RunInfo info = RunInfo.read(folder.resolve("captioned/run.json"));
        assertEquals(List.of(List.of(), List.of("an old thing in the rain"), List.of()),
                info.config().classImages().stream().map(RunInfo.PhotoInfo::captions).toList());
        PreparedData preparation = PreparedData.of(request(painted), model);
        assertEquals(List.of(), preparation.classImages().photos().getFirst().info().captions());
        assertTrue(preparation.warnings().stream().anyMatch(note -> note.contains("captioned \"a painting of thing\"")),
                preparation.warnings().toString());
        Files.writeString(others.resolve("o1.txt"), "a new {}");
        String failure = assertThrows(Failure.Incompatible.class,
                () -> run(trainingConfig, "captioned", RunControl.none(), EventSink.none())).getMessage();
        assertTrue(failure.contains("captions of the class images"), failure);
    }

    @Test
    void pausedRunMakesRequestedPreviewAndResumesExactly() throws Exception {
        run(configOf(6), "straight", RunControl.none(), EventSink.none());
        Queue<String> prompts = new ArrayDeque<>(List.of("{} in the (rain:1.2.3)", "{} in the rain"));
        int[] done = {0};
        boolean[] answered = {false};
        List<TrainingEvent> events = new ArrayList<>();
        RunControl control = new RunControl() {
            @Override
            public RunCommand command() {
                return done[0] == 3 && !answered[0] ? RunCommand.PAUSE : RunCommand.CONTINUE;
            }

            @Override
            public Optional<String> nextPreviewPrompt() {
                return done[0] == 3 ? Optional.ofNullable(prompts.poll()) : Optional.empty();
            }
        };
        run(configOf(6), "original", control, event -> {
            events.add(event);
            if (event instanceof TrainingEvent.Step step) done[0] = step.step();
            if (event instanceof TrainingEvent.Preview) answered[0] = true;
        });
        TrainingEvent.Preview made = events.stream()
                .filter(TrainingEvent.Preview.class::isInstance)
                .map(TrainingEvent.Preview.class::cast)
                .findFirst()
                .orElseThrow();
        assertTrue(
                events.stream()
                        .anyMatch(event -> event instanceof TrainingEvent.Note note
                                && note.message().contains(":1.2.3)")),
                "an invalid prompt is reported and does not stop the run");
        assertEquals("sks thing in the rain", made.prompt());
        assertEquals(3, made.step());
        assertTrue(Files.size(folder.resolve("original").resolve(made.file())) > 100);
        assertArrayEquals(adapter("straight"), adapter("original"));
    }

    @Test
    void featureCacheLastsForTheRunAndRequiresAFrozenEncoder() throws Exception {
        int[] done = {0};
        RunControl stop = () -> done[0] >= 6 ? RunControl.RunCommand.STOP : RunControl.RunCommand.CONTINUE;
        run(of("bank", 10), "run", stop,
                event -> done[0] = event instanceof TrainingEvent.Step step ? step.step() : done[0]);
        Path bank = folder.resolve("run/bank");
        try (var files = Files.list(bank)) {
            assertEquals(Set.of("0-0.safetensors", "1-0.safetensors", "2-0.safetensors", "3-0.safetensors"),
                    files.map(file -> file.getFileName().toString()).collect(Collectors.toSet()),
                    "eight samples are four steps of two");
        }
        assertTrue(Math.abs(UNetFeatureCache.bytes(model, 2, 16) - Files.size(bank.resolve("0-0.safetensors"))) < 2000,
                "the note contains the size of the cache");
        run(of("bank", 10), "run", RunControl.none(), EventSink.none());
        assertFalse(Files.exists(bank));
        TrainingRequest everywhere = TrainingRequest.of(model.path(), photos, "thing", ATOMS).with(of("bank", 10));
        Failure failure = assertThrows(Failure.Incompatible.class,
                () -> new TrainingService(new TrainingEnvironment(Device.CPU, 1, home)).run(everywhere,
                        folder.resolve("other"), RunControl.none(), EventSink.none()));
        assertTrue(failure.getMessage().contains("conv_in") && failure.getMessage().contains("train the layers up"),
                failure.getMessage());
        assertFalse(Files.exists(folder.resolve("other")));
    }

    @Test
    void estimateIncludesFillingTheFeatureCache() throws Exception {
        TrainingEstimate estimate = new TrainingService(new TrainingEnvironment(Device.CPU, 1, home))
                .estimate(request(of("bank", 200)));
        assertEquals(estimate.time().setupSeconds() + 200 * estimate.time().stepSeconds(),
                estimate.time().totalSeconds(), 1e-9);
        assertTrue(estimate.time().stepSeconds() > 0);
    }

    @Test
    void rejectsChangedCaptionsAndMasks() throws Exception {
        Path mine = Files.createDirectory(folder.resolve("mine"));
        PngWriter.write(mine.resolve("a.png"), RunTest.photo(1), Map.of());
        Files.writeString(mine.resolve("a.txt"), "{} in the rain");
        TrainingRequest request = TrainingRequest.of(model.path(), mine, "thing", ATOMS)
                .with(configOf(2).with(TrainingConfig.Feature.CAPTIONS));
        TrainingService tuning = new TrainingService(new TrainingEnvironment(Device.CPU, 1, home));
        tuning.run(request, folder.resolve("run"), RunControl.none(), EventSink.none());
        assertEquals(List.of("sks thing in the rain"),
                new RunFolder(folder.resolve("run")).info().subject().photos().getFirst().captions());
        Files.writeString(mine.resolve("a.txt"), "{} in the sun");
        Failure failure = assertThrows(Failure.Incompatible.class,
                () -> tuning.run(request, folder.resolve("run"), RunControl.none(), EventSink.none()));
        assertTrue(failure.getMessage().contains("captions") && failure.getMessage().contains("in the sun"),
                failure.getMessage());
    }

    @Test
    void estimateMeasuresTimeAndMemoryAndLeavesNoFiles() throws Exception {
        TrainingEstimate estimate = new TrainingService(new TrainingEnvironment(Device.CPU, 1, home))
                .estimate(request(configOf(200)));
        assertEquals(new RunInfoNumbers(ATOMS).count(), estimate.parameterCount());
        assertTrue(estimate.memory().bytes() > 0 && estimate.time().stepSeconds() > 0);
        assertEquals(estimate.time().setupSeconds() + 200 * estimate.time().stepSeconds(),
                estimate.time().totalSeconds(), 1e-9);
        assertTrue(estimate.fits() && estimate.advice().isEmpty(), estimate::toString);
        try (var files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
        assertNotEquals("", estimate.memory().source());
    }

    private record RunInfoNumbers(MethodSettings method) {
        long count() {
            return method.method().parameterCount(model.trainableLayers());
        }
    }
}

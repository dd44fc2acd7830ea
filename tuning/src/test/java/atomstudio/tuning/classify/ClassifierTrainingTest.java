package atomstudio.tuning.classify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.ClassifierModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodCategory;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.EventLog;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ClassifierTrainingTest {
    private static final Path GOLDENS = Path.of("../diffusion/src/test/resources/goldens/classifiers");

    @TempDir
    static Path digits;
    @TempDir
    Path temporary;

    @BeforeAll
    static void write() throws Exception {
        Digits.write(digits, 10, 40);
    }

    private static ClassifierTraining.Request request(Path data, String model, MethodSettings method,
            Map<TrainingSetting, Object> settings) {
        MethodSettings everywhere = method.settings().contains(MethodSetting.LAYERS)
                ? method.with(MethodSetting.LAYERS, "*")
                : method;
        TrainingConfig config = TrainingConfig.of(everywhere).with(TrainingSetting.BATCH_SIZE, 16).with(settings);
        return new ClassifierTraining.Request(GOLDENS.resolve(model), data, new ClassFolders.Split(0, 0.25),
                everywhere, config, 1e-2, model.startsWith("vit") ? 0 : 32);
    }

    private static ClassifierTraining.Outcome train(ClassifierTraining.Request request, Path run, RunControl control)
            throws Failure {
        Path home = TorchSettings.standard().natives().getParent();
        return new ClassifierTraining(new TrainingEnvironment(Device.CPU, 1, home)).run(request, run, control,
                EventSink.none());
    }

    private static ClassifierReport finished(ClassifierTraining.Outcome outcome) {
        return assertInstanceOf(ClassifierTraining.Outcome.Finished.class, outcome).report();
    }

    @Test
    void narrowResNetLearnsHandwrittenDigits() throws Exception {
        ClassifierTraining.Request request = request(digits, "resnet-basic", MethodSettings.of(MethodName.FULL),
                Map.of(TrainingSetting.STEPS, 120, TrainingSetting.BATCH_SIZE, 32));
        request = new ClassifierTraining.Request(request.model(), request.data(), request.split(), request.method(),
                request.config().with(TrainingSetting.LEARNING_RATE, 3e-3), 1e-2, 32);
        ClassifierReport report = finished(train(request, temporary.resolve("run"), RunControl.none()));
        assertEquals(100, report.images(), "a quarter of 400");
        assertTrue(report.accuracy().low() > 0.3, "far above the chance of 0.1: " + report.accuracy());
        try (ClassifierRun run = ClassifierRun.open(temporary.resolve("run"),
                new TrainingEnvironment(Device.CPU, 1, TorchSettings.standard().natives().getParent()))) {
            ClassFolders data = ClassFolders.read(digits, request.split());
            assertEquals(report.accuracy(), run.evaluate(data.validation()).overall(), "the adapter gives the same");
            double[] probabilities = run.predict(data.training().getFirst().file());
            assertEquals(1, java.util.Arrays.stream(probabilities).sum(), 1e-9);
        }
    }

    static List<MethodName> methods() {
        return ClassifierTraining.methods();
    }

    /// From the same start the first loss is ln 10 for every method: nothing changes before the first step.
    @ParameterizedTest @MethodSource("methods")
    void everyMethodTrainsEveryNetwork(MethodName method) throws Exception {
        boolean needsTransformer = method.category() == MethodCategory.BRANCHES;
        for (String model : needsTransformer ? List.of("vit") : List.of("resnet", "convnext", "vit")) {
            Path run = temporary.resolve(model);
            ClassifierReport report = finished(train(request(digits, model, MethodSettings.of(method),
                    Map.of(TrainingSetting.STEPS, 3)), run, RunControl.none()));
            List<Double> losses = new ArrayList<>();
            for (TrainingEvent.Timed event : EventLog.read(new RunFolder(run).eventLog()))
                if (event.event() instanceof TrainingEvent.Step step) losses.add(step.loss());
            assertEquals(3, losses.size());
            assertEquals(Math.log(10), losses.getFirst(), 1e-5);
            assertTrue(report.parameters() > 0 && report.headParameters() > 0);
        }
    }

    /// All 49 atoms of ConvNeXt's depthwise convolutions; its other kernels have fewer elements.
    @Test
    void largeKernelsHaveAllTheirAtoms() throws Exception {
        MethodSettings method = MethodSettings.of(MethodName.ATOMS).with(MethodSetting.ATOMS, "49");
        ClassifierTraining.Request request = request(digits, "convnext", method, Map.of(TrainingSetting.STEPS, 2));
        ClassifierReport report = finished(train(request, temporary.resolve("run"), RunControl.none()));
        long expected = ClassifierModel.open(request.model())
                .network()
                .layers()
                .stream()
                .filter(layer -> layer.kind() == Layer.Kind.CONV)
                .mapToLong(layer -> (long) Math.pow(layer.kernelSize(), 4))
                .sum();
        assertEquals(expected, report.parameters());
        ClassifierTraining.Request many = request(digits, "convnext", method.with(MethodSetting.ATOMS, "50"),
                Map.of(TrainingSetting.STEPS, 2));
        Failure refused = assertThrows(Failure.Incompatible.class,
                () -> train(many, temporary.resolve("many"), RunControl.none()));
        assertTrue(refused.getMessage().contains("expected 1 to 49 on the 7×7 kernels"), refused.getMessage());
    }

    @Test
    void aStoppedRunResumesExactly() throws Exception {
        ClassifierTraining.Request request = request(digits, "convnext", MethodSettings.of(MethodName.ATOMS),
                Map.of(TrainingSetting.STEPS, 6, TrainingSetting.FLIP, true));
        finished(train(request, temporary.resolve("whole"), RunControl.none()));
        AtomicInteger polls = new AtomicInteger();
        RunControl stop = () -> polls.getAndIncrement() < 3 ? RunControl.RunCommand.CONTINUE
                : RunControl.RunCommand.STOP;
        ClassifierTraining.Outcome.Stopped stopped = assertInstanceOf(ClassifierTraining.Outcome.Stopped.class,
                train(request, temporary.resolve("parts"), stop));
        assertEquals(3, stopped.step());
        finished(train(request, temporary.resolve("parts"), RunControl.none()));
        assertArrayEquals(Files.readAllBytes(new RunFolder(temporary.resolve("whole")).adapter()),
                Files.readAllBytes(new RunFolder(temporary.resolve("parts")).adapter()));
    }

    /// All images are equal, so that the error is ½ whatever is learned: the first validation stays the best. A pass
    /// over the 12 training images has 2 steps.
    @Test
    void theBestCheckpointIsKeptAndTrainingStopsEarly() throws Exception {
        Path grey = temporary.resolve("grey");
        for (int i = 0; i < 16; i++)
            PngWriter.write(Files.createDirectories(grey.resolve(i % 2 == 0 ? "one" : "two")).resolve(i + ".png"),
                    RgbImage.filled(24, 24, 0x808080), Map.of());
        ClassifierTraining.Request request = request(grey, "vit-timm", MethodSettings.of(MethodName.BITFIT),
                Map.of(TrainingSetting.STEPS, 100, TrainingSetting.BATCH_SIZE, 6, TrainingSetting.EARLY_STOPPING,
                        true));
        RunFolder whole = new RunFolder(temporary.resolve("whole")), parts = new RunFolder(temporary.resolve("parts"));
        ClassifierReport report = finished(train(request, whole.folder(), RunControl.none()));
        assertEquals(10, report.steps());
        assertEquals(OptionalInt.of(2), report.bestStep());
        assertEquals(0.5, report.accuracy().mean());
        assertEquals(List.of(2, 4, 6, 8, 10), validations(whole));
        assertArrayEquals(Files.readAllBytes(whole.bestAdapter()), Files.readAllBytes(whole.adapter()));

        AtomicInteger polls = new AtomicInteger();
        assertInstanceOf(ClassifierTraining.Outcome.Stopped.class, train(request, parts.folder(),
                () -> polls.getAndIncrement() < 4 ? RunControl.RunCommand.CONTINUE : RunControl.RunCommand.STOP));
        finished(train(request, parts.folder(), RunControl.none()));
        assertEquals(validations(whole), validations(parts));
        assertArrayEquals(Files.readAllBytes(whole.adapter()), Files.readAllBytes(parts.adapter()));
    }

    private static List<Integer> validations(RunFolder run) throws Failure {
        List<Integer> steps = new ArrayList<>();
        for (TrainingEvent.Timed event : EventLog.read(run.eventLog()))
            if (event.event() instanceof TrainingEvent.Validation validation) steps.add(validation.step());
        return steps;
    }

    @Test
    void memoryGrowsWithTheBatch() throws Exception {
        Path home = TorchSettings.standard().natives().getParent();
        ClassifierTraining training = new ClassifierTraining(new TrainingEnvironment(Device.CPU, 1, home));
        for (String model : List.of("resnet", "convnext", "vit")) {
            ClassifierTraining.Estimate small = training.estimate(request(digits, model,
                    MethodSettings.of(MethodName.LORA), Map.of(TrainingSetting.BATCH_SIZE, 2)));
            ClassifierTraining.Estimate large = training.estimate(request(digits, model,
                    MethodSettings.of(MethodName.LORA), Map.of(TrainingSetting.BATCH_SIZE, 64)));
            assertTrue(large.memory() > small.memory(), small + " " + large);
            assertTrue(small.memory() > 400L << 20 && small.parameters() > 0 && small.headParameters() > 0);
            assertTrue(small.fits());
        }
    }

    @Test
    void otherSettingsDoNotContinueARun() throws Exception {
        Path run = temporary.resolve("run");
        MethodSettings bitFit = MethodSettings.of(MethodName.BITFIT);
        finished(train(request(digits, "vit-timm", bitFit, Map.of(TrainingSetting.STEPS, 1)), run, RunControl.none()));
        Failure failure = assertThrows(Failure.Incompatible.class,
                () -> train(request(digits, "vit-timm", bitFit,
                        Map.of(TrainingSetting.STEPS, 1, TrainingSetting.SEED, 5L)), run, RunControl.none()));
        assertTrue(failure.getMessage().contains("seed: "), failure.getMessage());
        assertEquals(2, finished(train(request(digits, "vit-timm", bitFit, Map.of(TrainingSetting.STEPS, 2)), run,
                RunControl.none())).steps(), "more steps");
        assertTrue(assertThrows(Failure.Incompatible.class, () -> new RunFolder(run).info()).getMessage()
                .contains("studio classify"));
    }

    @Test
    void wrongFoldersAndMethodsAreNamed() throws Exception {
        MethodSettings lora = MethodSettings.of(MethodName.LORA);
        Path run = temporary.resolve("run");
        Path one = Digits.write(temporary.resolve("one"), 1, 3);
        assertMessage("two or more classes, found only digit 0",
                () -> train(request(one, "resnet", lora, Map.of()), run, RunControl.none()));
        Path single = Digits.write(temporary.resolve("single"), 2, 1);
        assertMessage("at least 2 images",
                () -> train(request(single, "resnet", lora, Map.of()), run, RunControl.none()));
        assertMessage("found nothing",
                () -> train(request(temporary.resolve("none"), "resnet", lora, Map.of()), run, RunControl.none()));
        Files.createDirectories(run);
        Files.writeString(run.resolve("notes.txt"), "");
        assertMessage("found notes.txt", () -> train(request(digits, "resnet", lora, Map.of()), run,
                RunControl.none()));
        Files.delete(run.resolve("notes.txt"));
        Path damaged = Digits.write(temporary.resolve("damaged"), 2, 3);
        Files.writeString(damaged.resolve("digit 1/broken.png"), "no image");
        assertMessage("1 of 7 images cannot be read", () -> train(request(damaged, "resnet", lora, Map.of()), run,
                RunControl.none()));
        assertMessage("broken.png", () -> train(request(damaged, "resnet", lora, Map.of()), run, RunControl.none()));
        Path empty = temporary.resolve("empty");
        Digits.write(empty.resolve("train"), 2, 3);
        Digits.write(empty.resolve("val"), 2, 1);
        Files.createDirectory(empty.resolve("train/digit 2"));
        assertMessage("digit 2", () -> train(request(empty, "resnet", lora, Map.of()), run, RunControl.none()));
        assertTrue(assertThrows(IllegalArgumentException.class,
                () -> request(digits, "resnet", MethodSettings.of(MethodName.DIFFFIT), Map.of())).getMessage()
                .contains("method: expected one of atoms, "));
        assertThrows(IllegalArgumentException.class, () -> new ClassFolders.Split(0, 1));
    }

    private static void assertMessage(String part, org.junit.jupiter.api.function.Executable action) {
        Failure failure = assertThrows(Failure.class, action);
        assertTrue(failure.getMessage().contains(part), failure.getMessage());
    }

    @Test
    void foldersForTrainingAndValidationAreUsed() throws Exception {
        Digits.write(temporary.resolve("train"), 3, 4);
        Digits.write(temporary.resolve("val"), 3, 2);
        ClassFolders data = ClassFolders.read(temporary, new ClassFolders.Split(0, 0.5));
        assertEquals(List.of("digit 0", "digit 1", "digit 2"), data.classes());
        assertEquals(12, data.training().size());
        assertEquals(6, data.validation().size());
        ClassFolders split = ClassFolders.read(temporary.resolve("train"), new ClassFolders.Split(1, 0.25));
        assertEquals(3, split.validation().size());
        assertEquals(9, split.training().size());
        Digits.write(temporary.resolve("val"), 4, 1);
        assertMessage("digit 3: expected one of the classes",
                () -> ClassFolders.read(temporary, new ClassFolders.Split(0, 0.5)));
    }
}

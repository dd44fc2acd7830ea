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
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.tuning.TinyModel;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
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

/// Whole runs with the settings that one can ask for.
class FeaturesRunTest {
    private static final MethodSettings ATOMS = MethodSettings.of(MethodSettings.MethodName.ATOMS);
    @TempDir static Path shared;
    @TempDir Path folder;
    private static DiffusionModel model;
    private static Path pictures;
    private static Path home;

    @BeforeAll static void prepare() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
        pictures = Files.createDirectory(shared.resolve("subject"));
        for (int i = 0; i < 6; i++) PngWriter.write(pictures.resolve("picture" + i + ".png"), RunTest.picture(i), Map.of());
        // Natives where they always are; what runs keep beside them goes to a folder of its own.
        home = Files.createDirectory(shared.resolve("home"));
        Files.createSymbolicLink(home.resolve("natives"), Files.createDirectories(RunTest.home().resolve("natives")));
    }

    /// A few of everything, to be varied.
    private static Recipe recipe(int steps) {
        return Recipe.of(ATOMS).with(new Recipe.Course(steps, 1e-2, 0, 5, Recipe.Decay.CONSTANT)).with(new Recipe.Update(Recipe.OptimizerName.ADAMW, 2, 1, 0));
    }

    private static TuneRequest request(Recipe recipe) {
        MethodSettings method = recipe.material().bank() > 0 ? ATOMS.with(MethodSetting.LAYERS, "up") : ATOMS;
        return TuneRequest.of(model.path(), pictures, "thing", method).with(recipe);
    }

    private TuneOutcome run(Recipe recipe, String name, Control control, TuneListener listener) throws Failure {
        return new Tuning(new Machine(Device.CPU, 1, home)).run(request(recipe), folder.resolve(name), control, listener);
    }

    private List<TuneEvent> events(String name) throws Failure {
        return new RunFolder(folder.resolve(name)).events().stream().map(TimedEvent::event).toList();
    }

    private byte[] adapter(String name) throws Exception {
        return Files.readAllBytes(folder.resolve(name).resolve("adapter.safetensors"));
    }

    private static Recipe of(String kind, int steps) {
        Recipe base = recipe(steps);
        return switch (kind) {
            case "plain" -> base;
            case "prodigy" -> base.with(new Recipe.Course(steps, 1, 0, 0, Recipe.Decay.CONSTANT)).with(new Recipe.Update(Recipe.OptimizerName.PRODIGY, 2, 1, 0));
            case "muon" -> base.with(new Recipe.Update(Recipe.OptimizerName.MUON, 2, 1, 0));
            case "ema" -> base.with(new Recipe.Update(Recipe.OptimizerName.ADAMW, 2, 2, 0.9));
            case "random" -> base.with(new Recipe.Material(16, Recipe.Crop.RANDOM, "a photo of {}", 0)).with(Recipe.Feature.FLIP);
            case "whole" -> base.with(new Recipe.Material(24, Recipe.Crop.WHOLE, "", 0)).with(new Recipe.Weighing(5, 0.1, Optional.empty()));
            case "bank" -> base.with(new Recipe.Material(16, Recipe.Crop.RANDOM, "", 8)).with(Recipe.Feature.FLIP);
            case "prior" -> base.with(new Recipe.Weighing(0, 0, Optional.of(new Recipe.Prior(pictures.toString(), 0.5))));
            case "validate" -> base.with(new Recipe.Running(4, Recipe.Precision.FP32, Set.of(Recipe.Feature.VALIDATE)));
            case "cosine" -> base.with(new Recipe.Course(steps, 1e-2, 0, 2, Recipe.Decay.COSINE));
            default -> throw new IllegalArgumentException(kind);
        };
    }

    @ParameterizedTest @ValueSource(strings = {"prodigy", "muon", "ema", "random", "whole", "bank", "prior", "validate", "cosine"}) void aStoppedRunResumesToEqualBytesAndDiffersFromAPlainOne(String kind) throws Exception {
        assertInstanceOf(TuneOutcome.Finished.class, run(of(kind, 10), "straight", Control.none(), TuneListener.silent()));
        int[] done = {0};
        Control stop = () -> done[0] >= 6 ? Control.Wish.STOP : Control.Wish.CONTINUE;
        assertEquals(new TuneOutcome.Stopped(6, 10), run(of(kind, 10), "stopped", stop, event -> done[0] = event instanceof TuneEvent.Step step ? step.step() : done[0]));
        assertInstanceOf(TuneOutcome.Finished.class, new Tuning(new Machine(Device.CPU, 1, home)).resume(folder.resolve("stopped"), Control.none(), TuneListener.silent()));
        assertArrayEquals(adapter("straight"), adapter("stopped"));
        run(of("plain", 10), "plain", Control.none(), TuneListener.silent());
        assertFalse(Arrays.equals(adapter("plain"), adapter("straight")), "the setting does something");
    }

    @Test void aRunThatChoosesItsPrecisionIsTheRunOfThatPrecisionAndGoesOnInIt() throws Exception {
        int[] done = {-1};
        Control stop = () -> done[0] >= 3 ? Control.Wish.STOP : Control.Wish.CONTINUE;
        run(precision(Recipe.Precision.AUTO), "auto", stop, event -> done[0] = event instanceof TuneEvent.Step step ? step.step() : done[0]);
        String chosen = events("auto").stream().filter(TuneEvent.Note.class::isInstance).map(event -> ((TuneEvent.Note) event).message()).filter(text -> text.startsWith("computed in ")).findFirst().orElseThrow();
        assertEquals(new TuneEvent.Checkpoint(0), events("auto").stream().filter(TuneEvent.Checkpoint.class::isInstance).findFirst().orElseThrow(), "the choice is kept before the first step");
        run(precision(Recipe.Precision.AUTO), "auto", Control.none(), TuneListener.silent());
        assertEquals(1, events("auto").stream().filter(event -> event instanceof TuneEvent.Note note && note.message().startsWith("computed in ")).count(), "chosen once");
        run(precision(chosen.startsWith("computed in bf16") ? Recipe.Precision.BF16 : Recipe.Precision.FP32), "asked", Control.none(), TuneListener.silent());
        assertArrayEquals(adapter("asked"), adapter("auto"));
        run(precision(chosen.startsWith("computed in bf16") ? Recipe.Precision.FP32 : Recipe.Precision.BF16), "other", Control.none(), TuneListener.silent());
        assertFalse(Arrays.equals(adapter("other"), adapter("auto")));
    }

    private static Recipe precision(Recipe.Precision precision) {
        return recipe(6).with(new Recipe.Running(0, precision, Set.of()));
    }

    @Test void oneOfFiveOrMoreIsHeldOutAndTheBestStepIsTheAdapter() throws Exception {
        Recipe recipe = recipe(12).with(new Recipe.Course(12, 0.5, 0, 0, Recipe.Decay.CONSTANT)).with(new Recipe.Running(3, Recipe.Precision.FP32, Set.of(Recipe.Feature.VALIDATE)));
        Report report = assertInstanceOf(TuneOutcome.Finished.class, run(recipe, "run", Control.none(), TuneListener.silent())).report();
        List<TuneEvent.Validation> validations = events("run").stream().filter(TuneEvent.Validation.class::isInstance).map(TuneEvent.Validation.class::cast).toList();
        assertEquals(List.of(0, 3, 6, 9, 12), validations.stream().map(TuneEvent.Validation::step).toList());
        int best = validations.stream().skip(1).min(java.util.Comparator.comparingDouble(TuneEvent.Validation::value)).orElseThrow().step();
        assertEquals(best, report.best().orElseThrow());
        assertEquals(best, validations.getLast().best());
        assertEquals(best, AdapterFile.read(folder.resolve("run/adapter.safetensors")).training().steps());
        assertArrayEquals(Files.readAllBytes(folder.resolve("run/best.safetensors")), adapter("run"));
        assertEquals(report, Report.read(folder.resolve("run/report.json")));
    }

    @Test void aRunThatGetsNoBetterEndsEarly() throws Exception {
        Recipe recipe = recipe(100).with(new Recipe.Course(100, 0.9, 0, 0, Recipe.Decay.CONSTANT)).with(new Recipe.Running(2, Recipe.Precision.FP32, Set.of(Recipe.Feature.STOP_EARLY)));
        Report report = assertInstanceOf(TuneOutcome.Finished.class, run(recipe, "run", Control.none(), TuneListener.silent())).report();
        assertTrue(report.steps() < 100, "ended at " + report.steps());
        assertEquals(report.steps(), report.best().orElseThrow() + Validation.PATIENCE * 2);
        assertTrue(events("run").stream().anyMatch(event -> event instanceof TuneEvent.Note note && note.message().contains("ended early")));
        assertEquals(RunStatus.FINISHED, new RunFolder(folder.resolve("run")).status());
    }

    @Test void withFewerPicturesAndNoImageEncoderNothingIsValidatedAndItIsSaid() throws Exception {
        Path few = Files.createDirectory(folder.resolve("few"));
        for (int i = 0; i < 4; i++) Files.copy(pictures.resolve("picture" + i + ".png"), few.resolve(i + ".png"));
        TuneRequest request = TuneRequest.of(model.path(), few, "thing", ATOMS).with(recipe(2).with(Recipe.Feature.VALIDATE));
        List<TuneEvent> heard = new ArrayList<>();
        new Tuning(new Machine(Device.CPU, 1, home)).run(request, folder.resolve("run"), Control.none(), heard::add);
        assertTrue(heard.stream().anyMatch(event -> event instanceof TuneEvent.Note note && note.message().contains("5 or more pictures")), heard::toString);
    }

    @Test void picturesOfTheClassAreMadeOnceAndServeTheNextRun() throws Exception {
        Recipe recipe = recipe(2).with(new Recipe.Weighing(0, 0, Optional.of(new Recipe.Prior(Recipe.Prior.AUTO, 1))));
        int[] asked = {0};
        Control later = () -> ++asked[0] > 100 ? Control.Wish.STOP : Control.Wish.CONTINUE;
        assertEquals(new TuneOutcome.Stopped(0, 2), run(recipe, "first", later, TuneListener.silent()), "stop is heard while they are made");
        run(recipe, "first", Control.none(), TuneListener.silent());
        List<TuneEvent> heard = new ArrayList<>();
        run(recipe, "second", Control.none(), heard::add);
        assertTrue(heard.stream().noneMatch(event -> event instanceof TuneEvent.Note note && note.message().contains("making")), heard::toString);
        assertArrayEquals(adapter("first"), adapter("second"));
        try (var files = Files.list(folder.resolve("first/prior"))) {
            assertEquals(PriorPictures.COUNT, files.count());
        }
    }

    @Test void captionsBesidePicturesOfTheClassAndTheTemplateCount() throws Exception {
        Path others = Files.createDirectory(folder.resolve("others"));
        for (int i = 0; i < 3; i++) Files.copy(pictures.resolve("picture" + i + ".png"), others.resolve("o" + i + ".png"));
        Recipe recipe = recipe(2).with(new Recipe.Weighing(0, 0, Optional.of(new Recipe.Prior(others.toString(), 1))));
        Recipe painted = recipe.with(new Recipe.Material(16, Recipe.Crop.CENTRE, "a painting of {}", 0));
        run(recipe, "plain", Control.none(), TuneListener.silent());
        run(painted, "painted", Control.none(), TuneListener.silent());
        Files.writeString(others.resolve("o1.txt"), "an old {} in the rain");
        List<TuneEvent> heard = new ArrayList<>();
        run(recipe, "captioned", Control.none(), heard::add);
        assertFalse(Arrays.equals(adapter("plain"), adapter("captioned")), "the caption is trained on");
        String notes = heard.toString();
        assertTrue(notes.contains("the captions beside the pictures of the class are used") && notes.contains("no caption beside o0.png, o2.png; called \"a thing\""), notes);
        RunInfo info = RunInfo.read(folder.resolve("captioned/run.json"));
        assertEquals(List.of(List.of(), List.of("an old thing in the rain"), List.of()), info.training().prior().stream().map(RunInfo.Picture::captions).toList());
        Preparation preparation = Preparation.of(request(painted), model);
        assertEquals(List.of(), preparation.prior().prepared().getFirst().name().captions());
        assertTrue(preparation.notes().stream().anyMatch(note -> note.contains("called \"a painting of thing\"")), preparation.notes().toString());
        Files.writeString(others.resolve("o1.txt"), "a new {}");
        String refused = assertThrows(Failure.Incompatible.class, () -> run(recipe, "captioned", Control.none(), TuneListener.silent())).getMessage();
        assertTrue(refused.contains("captions beside pictures of the class"), refused);
    }

    @Test void aPausedRunMakesAPictureOfItsHalfTunedAdapterAndGoesOnToTheSameBits() throws Exception {
        run(recipe(6), "straight", Control.none(), TuneListener.silent());
        Queue<String> prompts = new ArrayDeque<>(List.of("{} in the (rain:1.2.3)", "{} in the rain"));
        int[] done = {0};
        boolean[] answered = {false};
        List<TuneEvent> heard = new ArrayList<>();
        Control control = new Control() {
            @Override public Wish wish() {
                return done[0] == 3 && !answered[0] ? Wish.PAUSE : Wish.CONTINUE;
            }

            @Override public Optional<String> prompt() {
                return done[0] == 3 ? Optional.ofNullable(prompts.poll()) : Optional.empty();
            }
        };
        run(recipe(6), "asked", control, event -> {
            heard.add(event);
            if (event instanceof TuneEvent.Step step) done[0] = step.step();
            if (event instanceof TuneEvent.Preview) answered[0] = true;
        });
        TuneEvent.Preview made = heard.stream().filter(TuneEvent.Preview.class::isInstance).map(TuneEvent.Preview.class::cast).findFirst().orElseThrow();
        assertTrue(heard.stream().anyMatch(event -> event instanceof TuneEvent.Note note && note.message().contains(":1.2.3)")), "a mistyped prompt is answered, and ends nothing");
        assertEquals("sks thing in the rain", made.prompt());
        assertEquals(3, made.step());
        assertTrue(Files.size(folder.resolve("asked").resolve(made.file())) > 100);
        assertArrayEquals(adapter("straight"), adapter("asked"));
    }

    @Test void aBankLiesBesideTheRunWhileItGoesOnAndIsRefusedWhereMoreThanTheUpperPartIsTuned() throws Exception {
        int[] done = {0};
        Control stop = () -> done[0] >= 6 ? Control.Wish.STOP : Control.Wish.CONTINUE;
        run(of("bank", 10), "run", stop, event -> done[0] = event instanceof TuneEvent.Step step ? step.step() : done[0]);
        Path bank = folder.resolve("run/bank");
        try (var files = Files.list(bank)) {
            assertEquals(Set.of("0-0.safetensors", "1-0.safetensors", "2-0.safetensors", "3-0.safetensors"), files.map(file -> file.getFileName().toString()).collect(Collectors.toSet()), "eight pictures are four steps of two");
        }
        assertTrue(Math.abs(Bank.bytes(model, 2, 16) - Files.size(bank.resolve("0-0.safetensors"))) < 2000, "the note says what files take");
        run(of("bank", 10), "run", Control.none(), TuneListener.silent());
        assertFalse(Files.exists(bank));
        TuneRequest everywhere = TuneRequest.of(model.path(), pictures, "thing", ATOMS).with(of("bank", 10));
        Failure refused = assertThrows(Failure.Incompatible.class, () -> new Tuning(new Machine(Device.CPU, 1, home)).run(everywhere, folder.resolve("other"), Control.none(), TuneListener.silent()));
        assertTrue(refused.getMessage().contains("conv_in") && refused.getMessage().contains("--layers up"), refused.getMessage());
        assertFalse(Files.exists(folder.resolve("other")));
    }

    @Test void anEstimateCountsTheFillingOfABank() throws Exception {
        Estimate estimate = new Tuning(new Machine(Device.CPU, 1, home)).estimate(request(of("bank", 200)));
        assertEquals(estimate.time().before() + 200 * estimate.time().step(), estimate.time().total(), 1e-9);
        assertTrue(estimate.time().step() > 0);
    }

    @Test void otherCaptionsOrMasksAreAnotherRun() throws Exception {
        Path mine = Files.createDirectory(folder.resolve("mine"));
        PngWriter.write(mine.resolve("a.png"), RunTest.picture(1), Map.of());
        Files.writeString(mine.resolve("a.txt"), "{} in the rain");
        TuneRequest request = TuneRequest.of(model.path(), mine, "thing", ATOMS).with(recipe(2).with(Recipe.Feature.CAPTIONS));
        Tuning tuning = new Tuning(new Machine(Device.CPU, 1, home));
        tuning.run(request, folder.resolve("run"), Control.none(), TuneListener.silent());
        assertEquals(List.of("sks thing in the rain"), new RunFolder(folder.resolve("run")).info().subject().pictures().getFirst().captions());
        Files.writeString(mine.resolve("a.txt"), "{} in the sun");
        Failure refused = assertThrows(Failure.Incompatible.class, () -> tuning.run(request, folder.resolve("run"), Control.none(), TuneListener.silent()));
        assertTrue(refused.getMessage().contains("captions") && refused.getMessage().contains("in the sun"), refused.getMessage());
    }

    @Test void aDryRunSaysWhatARunWouldTakeAndLeavesNothing() throws Exception {
        Estimate estimate = new Tuning(new Machine(Device.CPU, 1, home)).estimate(request(recipe(200)));
        assertEquals(new RunInfoNumbers(ATOMS).count(), estimate.numbers());
        assertTrue(estimate.memory().bytes() > 0 && estimate.time().step() > 0);
        assertEquals(estimate.time().before() + 200 * estimate.time().step(), estimate.time().total(), 1e-9);
        assertTrue(estimate.fits() && estimate.advice().isEmpty(), estimate::toString);
        try (var files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
        assertNotEquals("", estimate.memory().source());
    }

    private record RunInfoNumbers(MethodSettings method) {
        long count() {
            return method.method().parameterCount(Tuning.layers(model));
        }
    }
}

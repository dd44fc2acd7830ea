package atomstudio.app.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.estimate.MemoryCheckViewModel;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.jobs.ManualJobs;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.app.window.FakeServices;
import atomstudio.app.window.WindowViewModel;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings.MethodName;
import atomstudio.tuning.train.TrainingEstimate;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The card in which a method is chosen, on the page of a subject.
class TrainViewModelTest {
    @TempDir
    Path place;
    private FakeServices fake;
    private SubjectPageViewModel page;
    private TrainViewModel tune;

    @BeforeEach
    void open() {
        fake = new FakeServices(place.resolve("home"), new InlineJobs());
        WindowViewModel window = new WindowViewModel(fake.services);
        window.load();
        window.start().useSample(window.start().samples().getFirst());
        page = window.subjects().getFirst();
        tune = page.train();
    }

    private RunSpec started() {
        tune.start();
        return fake.tuner.orders.getLast();
    }

    @Test
    void everyMethodOfTheFamilyHasItsPrice() {
        for (MethodName choice : MethodName.values())
            assertTrue(tune.method().cost(choice).isPresent(), choice.displayName());
        assertEquals(MethodName.values().length, tune.method().costs().size());
    }

    @Test
    void whatIsChosenReachesTheRun() {
        tune.method().choose(MethodName.LORA);
        tune.method().setText(MethodSetting.RANK, "8");
        tune.method().setText(MethodSetting.COMBINE_WITH, "textual-inversion");
        tune.method().setText(MethodSetting.TRAIN_TEXT_ENCODER, MethodSetting.YES);
        tune.training().setText(TrainingSetting.FLIP, TrainingSetting.YES);
        tune.training().setText(TrainingSetting.SEED, "7");
        RunSpec order = started();
        assertEquals("LoRA rank 8 + Textual inversion + text encoder", order.title());
        assertEquals(7, order.choices().training().toConfig(order.choices().method()).schedule().seed());
        assertEquals("rank 8 · combine with textual-inversion · text encoder · seed 7 · flip",
                order.choices().summary());
    }

    @Test
    void aRunThatIsOpenedAgainShowsItsSettings() {
        tune.method().choose(MethodName.ATOMS);
        tune.method().setText(MethodSetting.LAYERS, "up");
        tune.training().setText(TrainingSetting.CROP, "random");
        tune.training().setText(TrainingSetting.CLASS_IMAGES, "auto");
        tune.start();
        page.runs().open(page.runs().runs().getFirst());
        assertEquals("layers up · steps 20 · crop random · prior auto",
                page.runs().shownRun().get().spec().choices().summary());
    }

    @Test
    void whatCannotBeIsSaidInTheCommandLinesWordsAndHoldsStart() {
        tune.method().choose(MethodName.ATOMS);
        tune.method().setText(MethodSetting.ATOMS, "12");
        String wrong = tune.method().invalidMessage().get();
        assertTrue(wrong.startsWith("atoms: expected 1 to 9"), wrong);
        assertEquals(wrong, tune.missing().get());
        tune.start();
        assertEquals(List.of(), fake.tuner.orders);
        tune.method().setText(MethodSetting.ATOMS, "6");
        assertEquals("", tune.missing().get());
        tune.training().setText(TrainingSetting.LEARNING_RATE, "fast");
        assertEquals("learning-rate: expected a number, found fast", tune.missing().get());
        tune.training().setText(TrainingSetting.LEARNING_RATE, "");
        assertEquals("Filter atoms m = 6", started().title());
    }

    @Test
    void aMethodKeepsItsSettingsWhileAnotherIsLookedAt() {
        tune.method().choose(MethodName.LORA);
        tune.method().setText(MethodSetting.RANK, "16");
        tune.method().choose(MethodName.LOHA);
        assertEquals("", tune.method().text(MethodSetting.RANK));
        tune.method().choose(MethodName.LORA);
        assertEquals("16", tune.method().text(MethodSetting.RANK));
        assertEquals(16, tune.method().settings().get().rank());
    }

    @Test
    void whatIsWrongWithOneMethodDoesNotHoldAnother() {
        tune.method().choose(MethodName.LORA);
        tune.method().setText(MethodSetting.RANK, "none");
        assertFalse(tune.missing().get().isEmpty());
        tune.method().choose(MethodName.ATOMS);
        assertEquals("", tune.missing().get());
    }

    @Test
    void rankIsTheTextEncodersWhileThatIsTunedToo() {
        tune.method().choose(MethodName.ATOMS);
        assertFalse(tune.method().settings().get().settings().contains(MethodSetting.RANK));
        tune.method().setText(MethodSetting.TRAIN_TEXT_ENCODER, MethodSetting.YES);
        tune.method().setText(MethodSetting.RANK, "2");
        assertEquals(2, tune.method().settings().get().rank());
        tune.method().setText(MethodSetting.TRAIN_TEXT_ENCODER, "");
        assertEquals("", tune.method().invalidMessage().get());
        assertFalse(tune.method().settings().get().settings().contains(MethodSetting.RANK));
    }

    @Test
    void settingsChangeThePriceOfTheirMethod() {
        tune.method().choose(MethodName.ATOMS);
        tune.method().setText(MethodSetting.ATOMS, "3");
        assertEquals("756 parameters · 9.6 KB", tune.method().cost(MethodName.ATOMS).orElseThrow().summary());
        assertEquals("756 parameters trained · 0.0046 % of the network", tune.costLine().get());
    }

    @Test
    void aModelThatCannotBeTunedSoSaysWhy() {
        tune.method().choose(MethodName.FULL);
        assertEquals("method full: not on the model of this test", tune.missing().get());
        assertEquals("", tune.costLine().get());
    }

    @Test
    void whatDiffersFromTheDefaultsIsSaidWhileFolded() {
        assertEquals("", tune.training().summary().get());
        tune.training().setText(TrainingSetting.STEPS, String.valueOf(tune.method().settings().get().choice().steps()));
        assertEquals("", tune.training().summary().get());
        tune.training().setText(TrainingSetting.STEPS, "50");
        tune.training().setText(TrainingSetting.GRADIENT_CHECKPOINTING, TrainingSetting.YES);
        tune.training().setText(TrainingSetting.OPTIMIZER, "muon");
        assertEquals("steps 50 · optimizer muon · gradient checkpointing", tune.training().summary().get());
    }

    @Test
    void aFolderOfTheClassIsChosenByTheDesktopsChooser() {
        fake.desktop.folder = Path.of("/cars");
        tune.training().chooseClassImages();
        assertEquals("class images /cars", tune.training().summary().get());
    }

    @ParameterizedTest @EnumSource(MethodName.class)
    void theUsualSettingsOfEveryMethodCanBeStarted(MethodName choice) {
        tune.method().choose(choice);
        assertEquals("", tune.method().invalidMessage().get());
        assertEquals("", tune.training().invalidMessage().get());
        assertEquals(choice.steps(),
                new RunSpec.TrainingChoices(tune.method().settings().get(), tune.training().settings().get()).steps());
    }

    @Test
    void whetherItFitsIsSaidBeforeStartAndOneClickMakesItFit() {
        tune.checkMemory();
        assertEquals("does not fit · 4.0 GB of 3.1 GB · about 0:51", tune.memoryCheck().summary().get());
        assertEquals(2, tune.memoryCheck().advice().get().size());
        tune.applyAdvice(tune.memoryCheck().advice().get().getFirst());
        assertEquals("fits · 1.2 GB of 3.1 GB · about 0:51", tune.memoryCheck().summary().get());
        assertEquals(List.of(), tune.memoryCheck().advice().get());
        assertEquals("batch size 1 · gradient accumulation 6", tune.training().summary().get());
        assertEquals("1", started().choices().training().chosen().get(TrainingSetting.BATCH_SIZE));
    }

    @Test
    void anAnswerHoldsUntilSomethingElseIsWished() {
        tune.checkMemory();
        tune.training().setText(TrainingSetting.RESOLUTION, "64");
        assertEquals("", tune.memoryCheck().summary().get());
        assertEquals(null, tune.memoryCheck().estimate().get());
    }

    @Test
    void anEstimateThatFailsSaysWhyAndStartStaysPossible() {
        fake.estimateFailure = new Failure.Unreadable("resolution: expected a multiple of 8, found 7");
        tune.checkMemory();
        assertEquals("resolution: expected a multiple of 8, found 7", tune.memoryCheck().problem().get());
        assertEquals("", tune.memoryCheck().busy().get());
        assertEquals("", tune.missing().get());
    }

    @Test
    void aLateAnswerToAnOldQuestionIsPassedOver() {
        ManualJobs jobs = new ManualJobs();
        boolean[] wanted = {true};
        MemoryCheckViewModel fit = new MemoryCheckViewModel(jobs, (order, cancellation) -> {
            wanted[0] = !cancellation.isRequested();
            return new TrainingEstimate(1, 0.1, new TrainingEstimate.MemoryFit(1, "", 2),
                    new TrainingEstimate.TimeEstimate(1, 1, 1), List.of());
        });
        fit.check(new RunSpec("car", Path.of("/model"), Path.of("/pictures"), new RunSpec.SubjectPhrase("car", "sks"),
                RunSpec.TrainingChoices.of(MethodName.LORA), place));
        assertEquals("Trying a few steps…", fit.busy().get());
        fit.reset();
        assertEquals("", fit.busy().get());
        jobs.runAll();
        assertFalse(wanted[0]);
        assertEquals("", fit.summary().get());
    }

    @Test
    void aPausedRunMakesAPictureFromWhatItHasLearned() {
        fake.tuner.onWait = step -> {
            if (step == 5 && fake.tuner.heard.isEmpty()) page.queue().pause();
            if (page.queue().progress().get().phase() == RunProgress.RunPhase.PAUSED && fake.tuner.prompts.isEmpty()) {
                page.runs().requestPreview("a sks car on the beach");
                assertEquals("Making a picture of “a sks car on the beach”…", page.queue().pendingPreview().get());
            } else
                if (page.queue().progress().get().manualPreviews() == 1
                        && page.queue().progress().get().phase() == RunProgress.RunPhase.PAUSED) {
                            assertEquals("", page.queue().pendingPreview().get());
                            page.queue().resume();
                        }
        };
        tune.start();
        assertEquals(List.of("a sks car on the beach"), fake.tuner.prompts);
        RunSummary run = page.runs().runs().getFirst();
        assertTrue(run.isDone());
        assertEquals(1, run.progress().previews().size());
        RunProgress.PreviewImage asked = run.progress().previews().getFirst();
        assertTrue(asked.isManual() && asked.step() < 20, asked.toString());
        assertEquals("a sks car on the beach", asked.prompt());
    }
}

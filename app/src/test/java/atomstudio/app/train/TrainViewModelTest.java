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
import atomstudio.tuning.config.Preset;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.train.TrainingEstimate;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TrainViewModelTest {
    @TempDir
    Path folder;
    private FakeServices fake;
    private SubjectPageViewModel page;
    private WindowViewModel window;
    private TrainViewModel train;

    @BeforeEach
    void open() {
        fake = new FakeServices(folder.resolve("home"), new InlineJobs());
        window = new WindowViewModel(fake.services);
        window.load();
        window.start().useSample(window.start().samples().getFirst());
        page = window.subjects().pages().getFirst();
        train = page.train();
    }

    private RunSpec started() {
        train.start();
        return fake.launcher.specs.getLast();
    }

    @Test
    void everyMethodHasACost() {
        for (MethodName choice : MethodName.values())
            assertTrue(train.method().cost(choice).isPresent(), choice.displayName());
        assertEquals(MethodName.values().length, train.method().costs().size());
    }

    @Test
    void settingsReachTheRun() {
        train.method().choose(MethodName.LORA);
        train.method().setText(MethodSetting.RANK, "8");
        train.method().setText(MethodSetting.COMBINE_WITH, "textual-inversion");
        train.method().setText(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES);
        train.training().setText(TrainingSetting.FLIP, Setting.YES);
        train.training().setText(TrainingSetting.SEED, "7");
        RunSpec spec = started();
        assertEquals("LoRA rank 8 + Textual inversion + text encoder", spec.title());
        assertEquals(7, spec.choices().training().toConfig(spec.choices().method(), ModelSize.SMALL).schedule().seed());
        assertEquals("Rank 8 · Combine with Textual inversion · Train text encoder (LoRA) · Seed 7 · Horizontal flip",
                spec.choices().summary());
    }

    @Test
    void aLargeModelHasItsOwnDefaults() {
        train.method().choose(MethodName.LORA);
        assertEquals("60", train.training().defaultValue(TrainingSetting.STEPS));
        window.models().open(Path.of("/large-model"));
        assertEquals("500", train.training().defaultValue(TrainingSetting.STEPS));
        assertEquals("0.0001", train.training().defaultValue(TrainingSetting.LEARNING_RATE));
        assertEquals("", train.training().summary().get());
        train.training().choosePreset(Optional.of(Preset.QUICK));
        train.training().setText(TrainingSetting.LEARNING_RATE, "0.004");
        RunSpec spec = started();
        assertEquals(250, spec.choices().steps());
        assertEquals("0.004", spec.choices().training().chosen().get(TrainingSetting.LEARNING_RATE));
    }

    @Test
    void startFilesReachTheRunAndItsQueue() {
        train.method().choose(MethodName.ATOMS);
        Path lora = Path.of("/files/car.safetensors");
        train.startFiles().setOn(Path.of("/files/ink.safetensors"), 0.5);
        train.startFiles().setFrom(lora);
        assertEquals(MethodName.LORA, train.method().settings().get().choice(), "the method of the file");
        RunSpec spec = started();
        assertEquals("LoRA rank 8", spec.title());
        assertEquals("Rank 8 · from car.safetensors · on ink.safetensors × 0.5", spec.choices().summary());
        assertEquals(Optional.of(lora), spec.choices().start().from());
        train.method().setText(MethodSetting.RANK, "4");
        assertEquals(Optional.empty(), train.startFiles().files().get().from(), "another rank does not fit");
        assertFalse(train.startFiles().note().get().isEmpty());
        train.startFiles().removeOn();
        assertEquals(RunSpec.StartFiles.NONE, started().choices().start());
    }

    @Test
    void reopenedRunShowsItsSettings() {
        train.method().choose(MethodName.ATOMS);
        train.method().setText(MethodSetting.LAYERS, "up");
        train.training().setText(TrainingSetting.CROP, "random");
        train.training().setText(TrainingSetting.CLASS_IMAGES, "auto");
        train.start();
        page.runs().open(page.runs().runs().getFirst());
        assertEquals("Layers up · Steps 20 · Cropping random · Class images auto",
                page.runs().shownRun().get().spec().choices().summary());
    }

    @Test
    void enteredSettingsWinOverThePreset() {
        train.method().choose(MethodName.LORA);
        train.training().choosePreset(Optional.of(Preset.THOROUGH));
        assertEquals("120", train.training().defaultValue(TrainingSetting.STEPS));
        assertEquals("Steps 120 · Validation · Early stopping", train.training().summary().get());
        train.training().setText(TrainingSetting.STEPS, "20");
        train.training().setText(TrainingSetting.EARLY_STOPPING, Setting.NO);
        assertEquals("Steps 20 · Validation", train.training().summary().get());
        assertEquals("Steps 20 · Validation", started().choices().summary());
        train.training().choosePreset(Optional.empty());
        assertEquals("Steps 20", train.training().summary().get());
    }

    @Test
    void savedSettingsAreOpenedAgain(@TempDir Path folder) {
        train.method().choose(MethodName.LORA);
        train.method().setText(MethodSetting.RANK, "8");
        train.training().choosePreset(Optional.of(Preset.QUICK));
        train.training().setText(TrainingSetting.FLIP, Setting.YES);
        fake.desktop.saveTarget = folder.resolve("lora.toml");
        train.settingsFile().save();
        assertEquals("Saved to " + fake.desktop.saveTarget, train.settingsFile().note().get());
        TrainingConfig saved = train.training()
                .settings()
                .get()
                .toConfig(train.method().settings().get(), ModelSize.SMALL);
        train.training().choosePreset(Optional.empty());
        train.training().setText(TrainingSetting.FLIP, "");
        train.method().choose(MethodName.ATOMS);
        fake.desktop.folder = fake.desktop.saveTarget;
        train.settingsFile().open();
        assertEquals("", train.settingsFile().note().get());
        assertEquals(MethodSettings.of(MethodName.LORA).with(MethodSetting.RANK, "8"), train.method().settings().get());
        assertEquals(saved,
                train.training().settings().get().toConfig(train.method().settings().get(), ModelSize.SMALL));
        fake.desktop.folder = folder.resolve("missing.toml");
        train.settingsFile().open();
        assertTrue(train.settingsFile().note().get().contains("missing.toml: expected a TOML file"),
                train.settingsFile().note().get());
    }

    @Test
    void invalidSettingsPreventStart() {
        train.method().choose(MethodName.ATOMS);
        train.method().setText(MethodSetting.ATOMS, "0");
        String invalid = train.method().invalidMessage().get();
        assertTrue(invalid.startsWith("atoms: expected at least 1"), invalid);
        assertEquals(invalid, train.missing().get());
        train.start();
        assertEquals(List.of(), fake.launcher.specs);
        train.method().setText(MethodSetting.ATOMS, "6");
        assertEquals("", train.missing().get());
        train.training().setText(TrainingSetting.LEARNING_RATE, "fast");
        assertEquals("learning-rate: expected a number, found fast", train.missing().get());
        train.training().setText(TrainingSetting.LEARNING_RATE, "");
        assertEquals("Filter atoms m = 6", started().title());
    }

    @Test
    void methodsKeepTheirSettings() {
        train.method().choose(MethodName.LORA);
        train.method().setText(MethodSetting.RANK, "16");
        train.method().choose(MethodName.LOHA);
        assertEquals("", train.method().text(MethodSetting.RANK));
        train.method().choose(MethodName.LORA);
        assertEquals("16", train.method().text(MethodSetting.RANK));
        assertEquals(16, train.method().settings().get().rank());
    }

    @Test
    void invalidSettingsOfOneMethodDoNotAffectAnother() {
        train.method().choose(MethodName.LORA);
        train.method().setText(MethodSetting.RANK, "none");
        assertFalse(train.missing().get().isEmpty());
        train.method().choose(MethodName.ATOMS);
        assertEquals("", train.missing().get());
    }

    @Test
    void trainedTextEncoderHasRank() {
        train.method().choose(MethodName.ATOMS);
        assertFalse(train.method().settings().get().settings().contains(MethodSetting.RANK));
        train.method().setText(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES);
        train.method().setText(MethodSetting.RANK, "2");
        assertEquals(2, train.method().settings().get().rank());
        train.method().setText(MethodSetting.TRAIN_TEXT_ENCODER, "");
        assertEquals("", train.method().invalidMessage().get());
        assertFalse(train.method().settings().get().settings().contains(MethodSetting.RANK));
    }

    @Test
    void settingsChangeCostOfTheirMethod() {
        train.method().choose(MethodName.ATOMS);
        train.method().setText(MethodSetting.ATOMS, "3");
        assertEquals("756 parameters · 9.6 KB", train.method().cost(MethodName.ATOMS).orElseThrow().summary());
        assertEquals("756 parameters · trains 0.0046% of the model", train.costLine().get());
    }

    @Test
    void unsupportedMethodIsReported() {
        train.method().choose(MethodName.FULL);
        assertEquals("method full: not on the model of this test", train.missing().get());
        assertEquals("", train.costLine().get());
    }

    @Test
    void summaryListsNonDefaultSettings() {
        assertEquals("", train.training().summary().get());
        train.training()
                .setText(TrainingSetting.STEPS, String.valueOf(train.method().settings().get().choice().steps()));
        assertEquals("", train.training().summary().get());
        train.training().setText(TrainingSetting.STEPS, "50");
        train.training().setText(TrainingSetting.GRADIENT_CHECKPOINTING, Setting.YES);
        train.training().setText(TrainingSetting.OPTIMIZER, "muon");
        assertEquals("Steps 50 · Optimizer muon · Gradient checkpointing", train.training().summary().get());
    }

    @Test
    void choosesFolderOfClassImages() {
        fake.desktop.folder = Path.of("/cars");
        train.training().chooseClassImages();
        assertEquals("Class images /cars", train.training().summary().get());
    }

    @ParameterizedTest @EnumSource(MethodName.class)
    void defaultSettingsOfEveryMethodAreValid(MethodName choice) {
        train.method().choose(choice);
        assertEquals("", train.method().invalidMessage().get());
        assertEquals("", train.training().invalidMessage().get());
        assertEquals(choice.steps(),
                new RunSpec.TrainingChoices(train.method().settings().get(), train.training().settings().get())
                        .steps());
    }

    @Test
    void memoryAdviceMakesRunFit() {
        train.checkMemory();
        assertEquals("Needs 4.0 GB, 3.1 GB free, about 51 s", train.memoryCheck().summary().get());
        assertEquals(2, train.memoryCheck().advice().get().size());
        train.applyAdvice(train.memoryCheck().advice().get().getFirst());
        assertEquals("Fits: 1.2 GB of 3.1 GB, about 51 s", train.memoryCheck().summary().get());
        assertEquals(List.of(), train.memoryCheck().advice().get());
        assertEquals("Batch size 1 · Gradient accumulation 6", train.training().summary().get());
        assertEquals("1", started().choices().training().chosen().get(TrainingSetting.BATCH_SIZE));
    }

    @Test
    void changedSettingDiscardsMemoryCheck() {
        train.checkMemory();
        train.training().setText(TrainingSetting.RESOLUTION, "64");
        assertEquals("", train.memoryCheck().summary().get());
        assertEquals(null, train.memoryCheck().estimate().get());
    }

    @Test
    void failedMemoryCheckDoesNotPreventStart() {
        fake.estimateFailure = new Failure.Unreadable("resolution: expected a multiple of 8, found 7");
        train.checkMemory();
        assertEquals("resolution: expected a multiple of 8, found 7", train.memoryCheck().problem().get());
        assertEquals("", train.memoryCheck().busy().get());
        assertEquals("", train.missing().get());
    }

    @Test
    void ignoresResultOfCancelledMemoryCheck() {
        ManualJobs jobs = new ManualJobs();
        boolean[] wanted = {true};
        MemoryCheckViewModel check = new MemoryCheckViewModel(jobs, (spec, cancellation) -> {
            wanted[0] = !cancellation.isRequested();
            return new TrainingEstimate(1, 0.1, new TrainingEstimate.MemoryFit(1, "", 2),
                    new TrainingEstimate.TimeEstimate(1, 1, 1), List.of());
        });
        check.check(new RunSpec("car", Path.of("/model"), Path.of("/photos"), new RunSpec.SubjectPhrase("car", "sks"),
                RunSpec.TrainingChoices.of(MethodName.LORA), folder));
        assertEquals("Measuring…", check.busy().get());
        check.reset();
        assertEquals("", check.busy().get());
        jobs.runAll();
        assertFalse(wanted[0]);
        assertEquals("", check.summary().get());
    }

    @Test
    void pausedRunGeneratesPreview() {
        fake.launcher.onWait = step -> {
            if (step == 5 && fake.launcher.commands.isEmpty()) page.queue().pause();
            if (page.queue().progress().get().phase() == RunProgress.RunPhase.PAUSED
                    && fake.launcher.prompts.isEmpty()) {
                page.runs().requestPreview("a sks car on the beach");
                assertEquals("Generating a preview of “a sks car on the beach”…", page.queue().pendingPreview().get());
            } else
                if (page.queue().progress().get().manualPreviews() == 1
                        && page.queue().progress().get().phase() == RunProgress.RunPhase.PAUSED) {
                            assertEquals("", page.queue().pendingPreview().get());
                            page.queue().resume();
                        }
        };
        train.start();
        assertEquals(List.of("a sks car on the beach"), fake.launcher.prompts);
        RunSummary run = page.runs().runs().getFirst();
        assertTrue(run.isDone());
        assertEquals(1, run.progress().previews().size());
        RunProgress.PreviewImage preview = run.progress().previews().getFirst();
        assertTrue(preview.isManual() && preview.step() < 20, preview.toString());
        assertEquals("a sks car on the beach", preview.prompt());
    }
}

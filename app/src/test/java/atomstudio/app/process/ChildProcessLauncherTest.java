package atomstudio.app.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.train.TrainingEstimate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChildProcessLauncherTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    @TempDir
    Path place;

    private RunSpec order(RunSpec.TrainingChoices chosen) {
        return new RunSpec("car", Path.of("/model"), Path.of("/pictures"),
                new RunSpec.SubjectPhrase("police car", "sks"), chosen, place.resolve("car-lora"));
    }

    private TrainingProcess start(RunSpec.TrainingChoices chosen) throws Exception {
        Home home = new Home(place.resolve("home"));
        return new ChildProcessLauncher(ChildProcessLauncher.currentProgram(FakeTrainingProgram.class.getName()), home)
                .start(order(chosen));
    }

    private String file(String name) throws Exception {
        return Files.readString(place.resolve("car-lora").resolve(name));
    }

    @Test
    void ordersAreLinesOnTheChildsInput() throws Exception {
        try (TrainingProcess process = start(RunSpec.TrainingChoices.of(MethodName.LORA))) {
            process.send(TrainingProcess.ProcessCommand.RESUME);
            process.send(TrainingProcess.ProcessCommand.STOP);
            assertEquals(OptionalInt.of(130), process.await(LONG));
        }
        assertEquals("resume\nstop\n", file("heard"));
    }

    @Test
    void theChildLivesInTheSameHome() throws Exception {
        try (TrainingProcess process = start(RunSpec.TrainingChoices.of(MethodName.LORA))) {
            process.send(TrainingProcess.ProcessCommand.STOP);
            process.await(LONG);
        }
        assertEquals(place.resolve("home").toString(), file("home"));
        assertEquals("1", file("telemetry"));
    }

    @Test
    void closingEndsTheChildsInput() throws Exception {
        TrainingProcess process = start(RunSpec.TrainingChoices.of(MethodName.LORA));
        process.close();
        assertEquals(OptionalInt.of(0), process.await(LONG));
        assertEquals("end\n", file("heard"));
    }

    @Test
    void itsLastWordsAreKept() throws Exception {
        try (TrainingProcess process = start(RunSpec.TrainingChoices.of(MethodName.LORA))) {
            assertEquals(OptionalInt.empty(), process.await(Duration.ZERO));
            process.send(TrainingProcess.ProcessCommand.PAUSE);
            assertEquals(OptionalInt.of(1), process.await(LONG));
            assertTrue(process.lastOutput().endsWith("the pictures changed since the run began"), process.lastOutput());
            // Nobody listens any more, and that is no failure.
            process.send(TrainingProcess.ProcessCommand.STOP);
        }
    }

    @Test
    void whatIsNotSetIsLeftToTheCommand() {
        List<String> arguments = ChildProcessLauncher.arguments(order(RunSpec.TrainingChoices.of(MethodName.LORA)));
        assertEquals(List.of("train", "--control-stdin"), arguments.subList(0, 2));
        assertTrue(arguments.contains("--class=police car"), arguments.toString());
        Assertions.assertFalse(
                arguments.toString().contains("--steps") || arguments.toString().contains("--learning-rate"),
                arguments.toString());
        assertTrue(arguments.contains("--preview-every=" + MethodName.LORA.steps() / 5), arguments.toString());
    }

    @Test
    void whatIsSetIsPassedOn() {
        TrainingSettings training = TrainingSettings.DEFAULTS.with(TrainingSetting.STEPS, "50")
                .with(TrainingSetting.PREVIEW_EVERY, "0")
                .with(TrainingSetting.CLASS_IMAGES, "auto")
                .with(TrainingSetting.FLIP, TrainingSetting.YES);
        MethodSettings method = MethodSettings.of(MethodName.LORA)
                .with(MethodSetting.RANK, "8")
                .with(MethodSetting.COMBINE_WITH, "textual-inversion")
                .with(MethodSetting.TRAIN_TEXT_ENCODER, MethodSetting.YES);
        List<String> arguments = ChildProcessLauncher.arguments(order(new RunSpec.TrainingChoices(method, training)));
        for (String option : List.of("--steps=50", "--preview-every=0", "--class-images=auto", "--rank=8",
                "--combine-with=textual-inversion", "--flip", "--train-text-encoder")) {
            assertTrue(arguments.contains(option), arguments.toString());
        }
        assertEquals(1, arguments.stream().filter(argument -> argument.startsWith("--preview-every")).count());
    }

    @Test
    void noValueOfAPersonCanBecomeAnOption() {
        RunSpec order = new RunSpec("car", Path.of("/model"), Path.of("--out"),
                new RunSpec.SubjectPhrase("--out", "@arguments"), RunSpec.TrainingChoices.of(MethodName.LORA),
                place.resolve("car-lora"));
        List<String> arguments = ChildProcessLauncher.arguments(order);
        assertTrue(arguments.containsAll(List.of("--class=--out", "--trigger-word=@arguments", "--photos=--out")),
                arguments.toString());
        assertTrue(arguments.stream().skip(1).allMatch(argument -> argument.startsWith("--")), arguments.toString());
    }

    @Test
    void aRunThatIsThereGoesOnAsItWasBegun() throws Exception {
        Files.createDirectories(place.resolve("car-lora"));
        Files.writeString(place.resolve("car-lora/run.json"), "{}");
        assertEquals(List.of("resume", place.resolve("car-lora").toString(), "--control-stdin"),
                ChildProcessLauncher.arguments(order(RunSpec.TrainingChoices.of(MethodName.LORA))));
    }

    @Test
    void aPromptIsALineOnTheChildsInput() throws Exception {
        try (TrainingProcess process = start(RunSpec.TrainingChoices.of(MethodName.LORA))) {
            process.requestPreview("a sks car\non the  beach ");
            process.send(TrainingProcess.ProcessCommand.STOP);
            process.await(LONG);
        }
        assertEquals("generate a sks car on the beach\nstop\n", file("heard"));
    }

    @Test
    void anEstimateIsWhatTheDryRunPrints() throws Exception {
        ChildProcessLauncher tuner = new ChildProcessLauncher(
                ChildProcessLauncher.currentProgram(FakeTrainingProgram.class.getName()),
                new Home(place.resolve("home")));
        TrainingEstimate estimate = tuner.estimate(order(RunSpec.TrainingChoices.of(MethodName.LORA)), () -> false);
        assertEquals(65792, estimate.parameterCount());
        assertEquals(0.25, estimate.time().stepSeconds());
        assertEquals(List.of("--batch-size 1: one photo at a time"), estimate.advice());
        Assertions.assertFalse(estimate.fits());
    }

    @Test
    void anEstimateThatNobodyWantsEndsItsProcess() {
        ChildProcessLauncher tuner = new ChildProcessLauncher(
                ChildProcessLauncher.currentProgram(FakeTrainingProgram.class.getName()),
                new Home(place.resolve("home")));
        RunSpec.TrainingChoices slow = new RunSpec.TrainingChoices(MethodSettings.of(MethodName.LORA),
                TrainingSettings.DEFAULTS.with(TrainingSetting.GRADIENT_CHECKPOINTING, TrainingSetting.YES));
        Assertions.assertTimeout(Duration.ofSeconds(30), () -> Assertions.assertThrows(CancellationException.class,
                () -> tuner.estimate(order(slow), () -> true)));
    }

    @Test
    void aRefusedEstimateSaysWhatTheCommandSaid() throws Exception {
        RunSpec.TrainingChoices refused = new RunSpec.TrainingChoices(MethodSettings.of(MethodName.LORA),
                TrainingSettings.DEFAULTS.with(TrainingSetting.RESOLUTION, "7"));
        ChildProcessLauncher tuner = new ChildProcessLauncher(
                ChildProcessLauncher.currentProgram(FakeTrainingProgram.class.getName()),
                new Home(place.resolve("home")));
        Failure failure = Assertions.assertThrows(Failure.class, () -> tuner.estimate(order(refused), () -> false));
        assertEquals("resolution: expected a multiple of 8, found 7", failure.getMessage());
    }

    @Test
    void aProgramThatCannotBeStartedIsAFailure() {
        ChildProcessLauncher tuner = new ChildProcessLauncher(List.of("/nowhere/java"),
                new Home(place.resolve("home")));
        Failure failure = Assertions.assertThrows(Failure.class,
                () -> tuner.start(order(RunSpec.TrainingChoices.of(MethodName.LORA))));
        assertTrue(failure.getMessage().contains("/nowhere/java"), failure.getMessage());
    }
}

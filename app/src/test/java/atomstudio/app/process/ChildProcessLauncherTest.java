package atomstudio.app.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.setting.Setting;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class ChildProcessLauncherTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    @TempDir
    Path folder;

    private RunSpec spec(RunSpec.TrainingChoices choices) {
        return new RunSpec("car", Path.of("/model"), Path.of("/photos"),
                new RunSpec.SubjectPhrase("police car", "sks"), choices, folder.resolve("car-lora"));
    }

    private TrainingProcess start(RunSpec.TrainingChoices choices) throws Exception {
        Home home = new Home(folder.resolve("home"));
        return new ChildProcessLauncher(ChildProcessLauncher.currentProgram(FakeTrainingProgram.class.getName()), home)
                .start(spec(choices));
    }

    private String file(String name) throws Exception {
        return Files.readString(folder.resolve("car-lora").resolve(name));
    }

    @Test
    void commandsAreLinesOnStandardInput() throws Exception {
        try (TrainingProcess process = start(RunSpec.TrainingChoices.of(MethodName.LORA))) {
            process.send(TrainingProcess.ProcessCommand.RESUME);
            process.send(TrainingProcess.ProcessCommand.STOP);
            assertEquals(OptionalInt.of(130), process.await(TIMEOUT));
        }
        assertEquals("resume\nstop\n", file("received"));
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void packagedProgramStartsItselfWithoutTheVariableOfItsLauncher() throws Exception {
        Path launcher = Files.writeString(folder.resolve("launcher"), "#!/bin/sh\necho \"$1 $_JPACKAGE_LAUNCHER\"\n");
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwx------"));
        System.setProperty("jpackage.app-path", launcher.toString());
        try {
            List<String> command = new ArrayList<>(ChildProcessLauncher.currentProgram("unused"));
            command.add("train");
            ProcessBuilder builder = new ProcessBuilder(command);
            builder.environment().put("_JPACKAGE_LAUNCHER", launcher.toString());
            assertEquals("train \n", new String(builder.start().getInputStream().readAllBytes()));
        } finally {
            System.clearProperty("jpackage.app-path");
        }
    }

    @Test
    void childInheritsHome() throws Exception {
        try (TrainingProcess process = start(RunSpec.TrainingChoices.of(MethodName.LORA))) {
            process.send(TrainingProcess.ProcessCommand.STOP);
            process.await(TIMEOUT);
        }
        assertEquals(folder.resolve("home").toString(), file("home"));
        assertEquals("1", file("telemetry"));
    }

    @Test
    void closeEndsStandardInput() throws Exception {
        TrainingProcess process = start(RunSpec.TrainingChoices.of(MethodName.LORA));
        process.close();
        assertEquals(OptionalInt.of(0), process.await(TIMEOUT));
        assertEquals("end\n", file("received"));
    }

    @Test
    void keepsLastOutput() throws Exception {
        try (TrainingProcess process = start(RunSpec.TrainingChoices.of(MethodName.LORA))) {
            assertEquals(OptionalInt.empty(), process.await(Duration.ZERO));
            process.send(TrainingProcess.ProcessCommand.PAUSE);
            assertEquals(OptionalInt.of(1), process.await(TIMEOUT));
            assertTrue(process.lastOutput().endsWith("the photos changed since the run began"), process.lastOutput());
            // Commands to an ended process are ignored.
            process.send(TrainingProcess.ProcessCommand.STOP);
        }
    }

    @Test
    void leavesDefaultsToTheCommand() {
        List<String> arguments = ChildProcessLauncher.arguments(spec(RunSpec.TrainingChoices.of(MethodName.LORA)));
        assertEquals(List.of("train", "--control-stdin"), arguments.subList(0, 2));
        assertTrue(arguments.contains("--class=police car"), arguments.toString());
        Assertions.assertFalse(
                arguments.toString().contains("--steps") || arguments.toString().contains("--learning-rate"),
                arguments.toString());
        assertTrue(arguments.contains("--preview-every=" + MethodName.LORA.steps() / 5), arguments.toString());
    }

    @Test
    void passesSettingsOn() {
        TrainingSettings training = TrainingSettings.DEFAULTS.with(TrainingSetting.STEPS, "50")
                .with(TrainingSetting.PREVIEW_EVERY, "0")
                .with(TrainingSetting.CLASS_IMAGES, "auto")
                .with(TrainingSetting.FLIP, Setting.YES);
        MethodSettings method = MethodSettings.of(MethodName.LORA)
                .with(MethodSetting.RANK, "8")
                .with(MethodSetting.COMBINE_WITH, "textual-inversion")
                .with(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES);
        List<String> arguments = ChildProcessLauncher.arguments(spec(new RunSpec.TrainingChoices(method, training)));
        for (String option : List.of("--steps=50", "--preview-every=0", "--class-images=auto", "--rank=8",
                "--combine-with=textual-inversion", "--flip", "--train-text-encoder")) {
            assertTrue(arguments.contains(option), arguments.toString());
        }
        assertEquals(1, arguments.stream().filter(argument -> argument.startsWith("--preview-every")).count());
    }

    @Test
    void valuesCannotBecomeOptions() {
        RunSpec spec = new RunSpec("car", Path.of("/model"), Path.of("--out"),
                new RunSpec.SubjectPhrase("--out", "@arguments"), RunSpec.TrainingChoices.of(MethodName.LORA),
                folder.resolve("car-lora"));
        List<String> arguments = ChildProcessLauncher.arguments(spec);
        assertTrue(arguments.containsAll(List.of("--class=--out", "--trigger-word=@arguments", "--photos=--out")),
                arguments.toString());
        assertTrue(arguments.stream().skip(1).allMatch(argument -> argument.startsWith("--")), arguments.toString());
    }

    @Test
    void resumesExistingRun() throws Exception {
        Files.createDirectories(folder.resolve("car-lora"));
        Files.writeString(folder.resolve("car-lora/run.json"), "{}");
        assertEquals(List.of("resume", folder.resolve("car-lora").toString(), "--control-stdin"),
                ChildProcessLauncher.arguments(spec(RunSpec.TrainingChoices.of(MethodName.LORA))));
    }

    @Test
    void previewRequestIsOneLine() throws Exception {
        try (TrainingProcess process = start(RunSpec.TrainingChoices.of(MethodName.LORA))) {
            process.requestPreview("a sks car\non the  beach ");
            process.send(TrainingProcess.ProcessCommand.STOP);
            process.await(TIMEOUT);
        }
        assertEquals("generate a sks car on the beach\nstop\n", file("received"));
    }

    @Test
    void startFilesAreOptionsAndTheMethodIsThatOfTheFile() {
        RunSpec.StartFiles start = new RunSpec.StartFiles(Optional.of(Path.of("/a/car.safetensors")),
                Optional.of(new RunSpec.StartFiles.MergedFile(Path.of("/a/ink:2.safetensors"), 0.5)));
        List<String> arguments = ChildProcessLauncher.arguments(spec(new RunSpec.TrainingChoices(
                MethodSettings.of(MethodName.LORA), TrainingSettings.DEFAULTS, start)));
        assertTrue(arguments.containsAll(List.of("--from=/a/car.safetensors", "--on=/a/ink:2.safetensors:0.5")));
        assertTrue(arguments.stream().noneMatch(argument -> argument.startsWith("--method")), arguments.toString());
    }

    @Test
    void missingProgramIsAFailure() {
        ChildProcessLauncher launcher = new ChildProcessLauncher(List.of("/nowhere/java"),
                new Home(folder.resolve("home")));
        Failure failure = Assertions.assertThrows(Failure.class,
                () -> launcher.start(spec(RunSpec.TrainingChoices.of(MethodName.LORA))));
        assertTrue(failure.getMessage().contains("/nowhere/java"), failure.getMessage());
    }
}

package atomstudio.app.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.app.process.FakeTrainingProgram;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.train.TrainingEstimate;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChildProcessEstimatorTest {
    @TempDir
    Path folder;

    private ChildProcessEstimator estimator() {
        return new ChildProcessEstimator(new ChildProcessLauncher(
                ChildProcessLauncher.currentProgram(FakeTrainingProgram.class.getName()),
                new Home(folder.resolve("home"))));
    }

    private RunSpec spec(RunSpec.TrainingChoices choices) {
        return new RunSpec("car", Path.of("/model"), Path.of("/photos"), new RunSpec.SubjectPhrase("car", "sks"),
                choices, folder.resolve("car-lora"));
    }

    @Test
    void parsesDryRunOutput() throws Exception {
        TrainingEstimate estimate = estimator().estimate(spec(RunSpec.TrainingChoices.of(MethodName.LORA)),
                () -> false);
        assertEquals(65792, estimate.parameterCount());
        assertEquals(0.25, estimate.time().stepSeconds());
        assertEquals(List.of("--batch-size 1: one image at a time"), estimate.advice());
        assertFalse(estimate.fits());
    }

    @Test
    void cancelledEstimateEndsProcess() {
        RunSpec.TrainingChoices slow = new RunSpec.TrainingChoices(MethodSettings.of(MethodName.LORA),
                TrainingSettings.DEFAULTS.with(TrainingSetting.GRADIENT_CHECKPOINTING, Setting.YES));
        assertTimeout(Duration.ofSeconds(30), () -> assertThrows(CancellationException.class,
                () -> estimator().estimate(spec(slow), () -> true)));
    }

    @Test
    void failedEstimateReportsErrorOutput() throws Exception {
        RunSpec.TrainingChoices invalid = new RunSpec.TrainingChoices(MethodSettings.of(MethodName.LORA),
                TrainingSettings.DEFAULTS.with(TrainingSetting.RESOLUTION, "7"));
        Failure failure = assertThrows(Failure.class, () -> estimator().estimate(spec(invalid), () -> false));
        assertEquals("resolution: expected a multiple of 8, found 7", failure.getMessage());
    }
}

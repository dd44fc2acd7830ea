package atomstudio.app.process;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunSpecTest {
    @ParameterizedTest @CsvSource({", true", "0, false", "20, true"})
    void previewsAreOnUnlessDisabled(String every, boolean expected) {
        TrainingSettings training = every == null ? TrainingSettings.DEFAULTS
                : TrainingSettings.DEFAULTS.with(TrainingSetting.PREVIEW_EVERY, every);
        assertEquals(expected,
                new RunSpec.TrainingChoices(MethodSettings.of(MethodName.ATOMS), training).hasPreviews());
    }
}

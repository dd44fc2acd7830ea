package atomstudio.tuning.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LearningRateAdviceTest {
    private static final long SD15 = 859_520_964;
    private static final MethodSettings LORA = MethodSettings.of(MethodName.LORA);

    @Test
    void warnsOfTheDefaultRateOnALargeModel() {
        String advice = LearningRateAdvice.of(LORA, TrainingConfig.of(LORA), SD15).orElseThrow();
        assertTrue(advice.contains("0.004") && advice.contains("1.0e-4") && advice.contains("859 million"), advice);
    }

    @Test
    void noAdviceForAChosenRateTheDefaultModelAndProdigy() {
        assertEquals(Optional.empty(), LearningRateAdvice.of(LORA, TrainingConfig.of(LORA), 16_480_196));
        assertEquals(Optional.empty(), LearningRateAdvice.of(LORA,
                TrainingConfig.of(LORA).with(TrainingSetting.LEARNING_RATE, 2e-4), SD15));
        TrainingConfig prodigy = TrainingConfig.of(LORA)
                .with(TrainingSetting.OPTIMIZER, TrainingConfig.OptimizerName.PRODIGY);
        assertEquals(Optional.empty(), LearningRateAdvice.of(LORA, prodigy, SD15));
    }

    @Test
    void everyMethodHasAdvice() {
        for (MethodName choice : MethodName.values()) {
            MethodSettings method = MethodSettings.of(choice);
            assertTrue(LearningRateAdvice.of(method, TrainingConfig.of(method), SD15).isPresent(), choice.option());
        }
    }
}

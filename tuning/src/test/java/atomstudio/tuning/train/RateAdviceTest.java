package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodSettings.MethodName;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RateAdviceTest {
    private static final long SD15 = 859_520_964;
    private static final MethodSettings LORA = MethodSettings.of(MethodName.LORA);

    @Test void theDefaultRateIsWarnedOfOnAModelThatItWasNotFoundOn() {
        String advice = RateAdvice.of(LORA, Recipe.of(LORA), SD15).orElseThrow();
        assertTrue(advice.contains("0.004") && advice.contains("1.0e-4") && advice.contains("859 million"), advice);
    }

    @Test void aChosenRateTheDefaultModelAndProdigyNeedNoAdvice() {
        assertEquals(Optional.empty(), RateAdvice.of(LORA, Recipe.of(LORA), 16_480_196));
        assertEquals(Optional.empty(), RateAdvice.of(LORA, Recipe.of(LORA).with(Recipe.of(LORA).course().withRate(2e-4)), SD15));
        Recipe prodigy = Recipe.of(LORA).with(new Recipe.Update(Recipe.OptimizerName.PRODIGY, 1, 1, 0));
        assertEquals(Optional.empty(), RateAdvice.of(LORA, prodigy, SD15));
    }

    @Test void everyMethodHasAdvice() {
        for (MethodName choice : MethodName.values()) {
            MethodSettings method = MethodSettings.of(choice);
            assertTrue(RateAdvice.of(method, Recipe.of(method), SD15).isPresent(), choice.option());
        }
    }
}

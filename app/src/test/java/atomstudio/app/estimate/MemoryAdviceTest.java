package atomstudio.app.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodSetting;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MemoryAdviceTest {
    @Test
    void optionsAreUnderstoodAsSettings() {
        MemoryCheckViewModel.MemoryAdvice advice = MemoryCheckViewModel.MemoryAdvice
                .parse("--batch-size 1 --gradient-accumulation 6: one photo at a time, the same steps");
        assertEquals(Map.of(TrainingSetting.BATCH_SIZE, "1", TrainingSetting.GRADIENT_ACCUMULATION, "6"),
                advice.trainingSettings());
        assertEquals("batch size 1, gradient accumulation 6: one photo at a time, the same steps",
                advice.displayText());
    }

    @Test
    void aFlagIsYesAndALayerChoiceIsTheMethods() {
        assertEquals(Map.of(TrainingSetting.GRADIENT_CHECKPOINTING, TrainingSetting.YES),
                MemoryCheckViewModel.MemoryAdvice
                        .parse("--gradient-checkpointing: recomputes activations instead of keeping them")
                        .trainingSettings());
        assertEquals(Map.of(MethodSetting.LAYERS, "up"),
                MemoryCheckViewModel.MemoryAdvice.parse("--layers up: fewer layers, those near the output")
                        .methodSettings());
    }

    @Test
    void whatIsNoSettingCanOnlyBeRead() {
        MemoryCheckViewModel.MemoryAdvice advice = MemoryCheckViewModel.MemoryAdvice.parse("Close other programs.");
        assertFalse(advice.isApplicable());
        assertTrue(MemoryCheckViewModel.MemoryAdvice.parse("--resolution 384: smaller photos").isApplicable());
        assertEquals("Close other programs.", advice.displayText());
    }
}

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
                .parse("--batch 1 --accumulate 6: one picture at a time, the same steps");
        assertEquals(Map.of(TrainingSetting.BATCH, "1", TrainingSetting.ACCUMULATE, "6"), advice.trainingSettings());
        assertEquals("batch 1, accumulate 6: one picture at a time, the same steps", advice.displayText());
    }

    @Test
    void aFlagIsYesAndALayerChoiceIsTheMethods() {
        assertEquals(Map.of(TrainingSetting.CHECKPOINTING, TrainingSetting.YES),
                MemoryCheckViewModel.MemoryAdvice
                        .parse("--checkpointing: activations are computed again instead of kept")
                        .trainingSettings());
        assertEquals(Map.of(MethodSetting.LAYERS, "up"),
                MemoryCheckViewModel.MemoryAdvice.parse("--layers up: fewer layers, those near the output")
                        .methodSettings());
    }

    @Test
    void whatIsNoSettingCanOnlyBeRead() {
        MemoryCheckViewModel.MemoryAdvice advice = MemoryCheckViewModel.MemoryAdvice.parse("Close other programs.");
        assertFalse(advice.isApplicable());
        assertTrue(MemoryCheckViewModel.MemoryAdvice.parse("--size 384: smaller pictures").isApplicable());
        assertEquals("Close other programs.", advice.displayText());
    }
}

package atomstudio.app.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.train.TrainingSetting;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MemoryAdviceTest {
    @Test void optionsAreUnderstoodAsSettings() {
        MemoryAdvice advice = MemoryAdvice.parse("--batch 1 --accumulate 6: one picture at a time, the same steps");
        assertEquals(Map.of(TrainingSetting.BATCH, "1", TrainingSetting.ACCUMULATE, "6"), advice.trainingSettings());
        assertEquals("batch 1, accumulate 6: one picture at a time, the same steps", advice.displayText());
    }

    @Test void aFlagIsYesAndALayerChoiceIsTheMethods() {
        assertEquals(Map.of(TrainingSetting.CHECKPOINTING, TrainingSetting.YES), MemoryAdvice.parse("--checkpointing: activations are computed again instead of kept").trainingSettings());
        assertEquals(Map.of(MethodSetting.LAYERS, "up"), MemoryAdvice.parse("--layers up: fewer layers, those near the output").methodSettings());
    }

    @Test void whatIsNoSettingCanOnlyBeRead() {
        MemoryAdvice advice = MemoryAdvice.parse("Close other programs.");
        assertFalse(advice.isApplicable());
        assertTrue(MemoryAdvice.parse("--size 384: smaller pictures").isApplicable());
        assertEquals("Close other programs.", advice.displayText());
    }
}

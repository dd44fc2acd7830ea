package atomstudio.app.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.method.Setting;
import atomstudio.tuning.train.TrainingSetting;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AdviceTest {
    @Test void optionsAreUnderstoodAsSettings() {
        Advice advice = Advice.parse("--batch 1 --accumulate 6: one picture at a time, the same steps");
        assertEquals(Map.of(TrainingSetting.BATCH, "1", TrainingSetting.ACCUMULATE, "6"), advice.training());
        assertEquals("batch 1, accumulate 6: one picture at a time, the same steps", advice.line());
    }

    @Test void aFlagIsYesAndALayerChoiceIsTheMethods() {
        assertEquals(Map.of(TrainingSetting.CHECKPOINTING, TrainingSetting.YES), Advice.parse("--checkpointing: activations are computed again instead of kept").training());
        assertEquals(Map.of(Setting.LAYERS, "up"), Advice.parse("--layers up: fewer layers, those near the output").method());
    }

    @Test void whatIsNoSettingCanOnlyBeRead() {
        Advice advice = Advice.parse("Close other programs.");
        assertFalse(advice.applicable());
        assertTrue(Advice.parse("--size 384: smaller pictures").applicable());
        assertEquals("Close other programs.", advice.line());
    }
}

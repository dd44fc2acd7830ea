package atomstudio.app.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.setting.Setting;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MemoryAdviceTest {
    @Test
    void parsesOptions() {
        MemoryCheckViewModel.MemoryAdvice advice = MemoryCheckViewModel.MemoryAdvice
                .parse("--batch-size 1 --gradient-accumulation 6: one image at a time");
        assertEquals(Map.of(TrainingSetting.BATCH_SIZE, "1", TrainingSetting.GRADIENT_ACCUMULATION, "6"),
                advice.trainingSettings());
        assertEquals("Batch size 1, Gradient accumulation 6: one image at a time", advice.displayText());
    }

    @Test
    void parsesFlagsAndLayers() {
        assertEquals(Map.of(TrainingSetting.GRADIENT_CHECKPOINTING, Setting.YES),
                MemoryCheckViewModel.MemoryAdvice
                        .parse("--checkpointing: recomputes activations")
                        .trainingSettings());
        assertEquals(Map.of(MethodSetting.LAYERS, "up"),
                MemoryCheckViewModel.MemoryAdvice.parse("--layers up: fewer layers, those near the output")
                        .methodSettings());
    }

    @Test
    void textWithoutOptionsIsNotApplicable() {
        MemoryCheckViewModel.MemoryAdvice advice = MemoryCheckViewModel.MemoryAdvice.parse("Close other programs.");
        assertFalse(advice.isApplicable());
        assertTrue(MemoryCheckViewModel.MemoryAdvice.parse("--size 384: smaller images").isApplicable());
        assertEquals("Close other programs.", advice.displayText());
    }
}

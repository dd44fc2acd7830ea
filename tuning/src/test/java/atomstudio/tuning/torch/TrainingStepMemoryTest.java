package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.TinyModel;
import atomstudio.tuning.method.FilterAtoms;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class TrainingStepMemoryTest {
    private static DiffusionModel model;
    private static ParameterLayout layout;

    @BeforeAll
    static void open() throws Exception {
        model = DiffusionModel.open(TinyModel.reference("sd1"));
        layout = ParameterLayout.of(new FilterAtoms(9), model.unet().layers());
    }

    @Test
    void recomputedActivationsAreNotCounted() {
        assertTrue(
                bytes(Checkpointing.SELECTIVE, ComputeDtype.FP32, 1) < bytes(Checkpointing.NONE, ComputeDtype.FP32, 1));
        assertTrue(
                bytes(Checkpointing.FULL, ComputeDtype.FP32, 1) < bytes(Checkpointing.SELECTIVE, ComputeDtype.FP32, 1));
    }

    @Test
    void memoryGrowsByTheActivationsOfEachSample() {
        long one = bytes(Checkpointing.NONE, ComputeDtype.FP32, 1),
                two = bytes(Checkpointing.NONE, ComputeDtype.FP32, 2),
                three = bytes(Checkpointing.NONE, ComputeDtype.FP32, 3);
        assertEquals(two - one, three - two, 0.01 * one);
        assertTrue(two > one && two < 2 * one, "weights are in all of them: " + one + ", " + two);
    }

    /// Effective weights and their gradients stay in float32.
    @Test
    void bf16HalvesOnlyActivationMemory() {
        long difference = bytes(Checkpointing.FULL, ComputeDtype.FP32, 2)
                - bytes(Checkpointing.FULL, ComputeDtype.FP32, 1),
                bf16Difference = bytes(Checkpointing.FULL, ComputeDtype.BF16, 2)
                        - bytes(Checkpointing.FULL, ComputeDtype.BF16, 1);
        assertTrue(bf16Difference < difference, difference + " bytes per sample in float32, " + bf16Difference);
    }

    private static long bytes(Checkpointing activations, ComputeDtype precision, int batch) {
        return new TrainingStepMemory(model, layout, activations, precision).bytes(batch, 8, 8);
    }
}

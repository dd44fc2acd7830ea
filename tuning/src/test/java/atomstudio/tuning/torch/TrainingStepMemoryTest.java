package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.tensor.Shape;
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

    /// A whole step may need more: its attention matrices are saved.
    @Test
    void bf16HalvesActivations() {
        for (ComputeDtype dtype : ComputeDtype.values()) {
            MemoryOps ops = new MemoryOps(new MemoryAccount(), dtype);
            MemoryAccount.Use x = ops.toActivationDtype(MemoryAccount.Use.persistent(Shape.of(2, 8)));
            assertEquals(dtype == ComputeDtype.BF16 ? 2 : 4, ops.silu(x).bytesPerElement);
        }
    }

    private static long bytes(Checkpointing activations, ComputeDtype precision, int batch) {
        return new TrainingStepMemory(model, layout, activations, precision).bytes(batch, 8, 8);
    }
}

package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.tuning.torch.ComputeDtype;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import org.junit.jupiter.api.Test;

class ComputeModeTest {
    private static final double NO_ROOM = Double.POSITIVE_INFINITY;

    @Test
    void bf16IsChosenOnlyIfClearlyFaster() {
        assertChosen(ComputeDtype.BF16, 1.2, 1, "computed in bf16: in fp32 a step took 1.20 s, in bf16 it took 1.00 s");
        assertChosen(ComputeDtype.FP32, 1.1, 1, "computed in fp32: in fp32 a step took 1.10 s, in bf16 it took 1.00 s");
    }

    @Test
    void choosesThePrecisionThatFits() {
        assertChosen(ComputeDtype.BF16, NO_ROOM, 3,
                "computed in bf16: in fp32 a step does not fit in memory, in bf16 it took 3.00 s");
        assertChosen(ComputeDtype.FP32, 3, NO_ROOM,
                "computed in fp32: in fp32 a step took 3.00 s, in bf16 it does not fit in memory");
        assertEquals(ComputeDtype.FP32, ComputeMode.choose(Checkpointing.SELECTIVE, NO_ROOM, NO_ROOM).computeDtype());
    }

    private static void assertChosen(ComputeDtype expected, double full, double half, String reason) {
        ComputeMode chosen = ComputeMode.choose(Checkpointing.SELECTIVE, full, half);
        assertEquals(expected, chosen.computeDtype());
        assertEquals(reason, chosen.reason().orElseThrow());
    }
}

package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.method.ChannelAtoms;
import atomstudio.tuning.method.FilterAtoms;
import atomstudio.tuning.method.Lora;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ComputeDtypeTest {
    private static SmallNetwork network;

    @BeforeAll
    static void open() throws Exception {
        network = SmallNetwork.open();
    }

    @AfterAll
    static void close() {
        network.close();
    }

    @Test
    void gpusHaveBf16HardwareFromCapabilityEight() {
        assertFalse(ComputeDtype.supportsBf16("75"));
        assertTrue(ComputeDtype.supportsBf16("80"));
        assertTrue(ComputeDtype.supportsBf16("120"));
    }

    static Stream<TuningMethod> methods() {
        return Stream.of(new FilterAtoms(9), new ChannelAtoms(4, 16), new Lora(4));
    }

    /// bfloat16 has 8 significant bits: a gradient of hundreds of rounded products has the same direction, but differs.
    @ParameterizedTest @MethodSource("methods")
    void bf16GradientsAreCloseToFloat32(TuningMethod method) throws Exception {
        ParameterLayout layout = ParameterLayout.of(method, network.model().unet().layers());
        float[] parameters = ReferenceOps.random(1, layout.size()).data();
        for (int i = 0; i < parameters.length; i++) parameters[i] *= 0.05f;
        for (Checkpointing activations : Checkpointing.values()) {
            DenoisingLoss.Gradient full = network.gradient(layout, parameters, activations, ComputeDtype.FP32);
            DenoisingLoss.Gradient half = network.gradient(layout, parameters, activations, ComputeDtype.BF16);
            assertEquals(full.loss(), half.loss(), 0.02 * full.loss());
            double dot = 0, a = 0, b = 0;
            for (int i = 0; i < parameters.length; i++) {
                dot += (double) full.vector()[i] * half.vector()[i];
                a += (double) full.vector()[i] * full.vector()[i];
                b += (double) half.vector()[i] * half.vector()[i];
            }
            assertTrue(dot / Math.sqrt(a * b) > 0.995,
                    method + ", " + activations + ": cosine " + dot / Math.sqrt(a * b));
            assertEquals(1, Math.sqrt(b / a), 0.05, method + ", " + activations);
        }
    }
}

package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.method.BitFit;
import atomstudio.tuning.method.ChannelAtoms;
import atomstudio.tuning.method.DiffFit;
import atomstudio.tuning.method.Dora;
import atomstudio.tuning.method.FilterAtoms;
import atomstudio.tuning.method.FullFineTuning;
import atomstudio.tuning.method.LayerSelector;
import atomstudio.tuning.method.Lora;
import atomstudio.tuning.method.ParallelAdapter;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.RestrictedMethod;
import atomstudio.tuning.method.SerialAdapter;
import atomstudio.tuning.method.Ssf;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CheckpointingTest {
    private static SmallNetwork network;

    @BeforeAll
    static void open() throws Exception {
        network = SmallNetwork.open();
    }

    @AfterAll
    static void close() {
        network.close();
    }

    static Stream<Arguments> cases() {
        return Stream
                .of(new FilterAtoms(9), new ChannelAtoms(4, 16), new Lora(4),
                        new RestrictedMethod(new Lora(2), LayerSelector.parse("linear,conv")),
                        new RestrictedMethod(new Lora(2), LayerSelector.parse("attention")), new BitFit(),
                        new DiffFit(), new Ssf(), new FullFineTuning(), new Dora(2, 2), new SerialAdapter(3),
                        new ParallelAdapter(3, 0.5))
                .flatMap(method -> Stream.of(Checkpointing.SELECTIVE, Checkpointing.FULL)
                        .map(activations -> Arguments.of(method, activations)));
    }

    @ParameterizedTest @MethodSource("cases")
    void checkpointingDoesNotChangeGradients(TuningMethod method, Checkpointing activations)
            throws Exception {
        ParameterLayout layout = ParameterLayout.of(method, network.model().unet().layers());
        float[] parameters = ReferenceOps.random(1, layout.size()).data();
        for (int i = 0; i < parameters.length; i++) parameters[i] *= 0.05f;
        DenoisingLoss.Gradient kept = network.gradient(layout, parameters, Checkpointing.NONE, ComputeDtype.FP32);
        DenoisingLoss.Gradient again = network.gradient(layout, parameters, activations, ComputeDtype.FP32);
        assertEquals(kept.loss(), again.loss());
        double largest = 0;
        for (float number : kept.vector()) largest = Math.max(largest, Math.abs(number));
        assertTrue(largest > 0);
        // If layers save only their inputs, the operations between them are differentiated one by one.
        boolean inOrder = method instanceof FilterAtoms || method instanceof ChannelAtoms || method instanceof Lora;
        int at = 0;
        for (ParameterLayout.LayerParameter entry : layout.trained()) {
            int size = (int) entry.spec().shape().elements();
            // At the skips and the time embedding, gradients of several paths are summed in another order.
            boolean above = entry.layer().name().startsWith("up_blocks.") || entry.layer().name().equals("conv_out");
            double tolerance = above && inOrder ? 0 : 1e-6 * largest;
            for (int i = at; i < at + size; i++)
                assertEquals(kept.vector()[i], again.vector()[i], tolerance, entry.key());
            at += size;
        }
        assertEquals(layout.size(), at);
    }

    @ParameterizedTest @MethodSource("cases")
    void repeatedCallsAreEqual(TuningMethod method, Checkpointing activations) throws Exception {
        ParameterLayout layout = ParameterLayout.of(method, network.model().unet().layers());
        float[] parameters = ReferenceOps.random(1, layout.size()).data();
        assertTrue(Arrays.equals(network.gradient(layout, parameters, activations, ComputeDtype.FP32).vector(),
                network.gradient(layout, parameters, activations, ComputeDtype.FP32).vector()));
    }
}

package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.Inventory;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.TinyModel;
import atomstudio.tuning.method.ChannelAtoms;
import atomstudio.tuning.method.FilterAtoms;
import atomstudio.tuning.method.Lora;
import atomstudio.tuning.method.SlotLayout;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.torch.DifferentiationInput.Activations;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CheckpointingTest {
    private static ModelFolder model;
    private static TorchEngine engine;

    @BeforeAll static void open() throws Exception {
        model = ModelFolder.open(TinyModel.reference("sd1"));
        engine = TorchEngine.open(model, Device.CPU, TorchSettings.standard().withThreads(1));
    }

    @AfterAll static void close() {
        engine.close();
    }

    static Stream<Arguments> cases() {
        return Stream.of(new FilterAtoms(9), new ChannelAtoms(4, 16), new Lora(4)).flatMap(method -> Stream.of(Activations.LEAN, Activations.RECOMPUTED).map(activations -> Arguments.of(method, activations)));
    }

    @ParameterizedTest @MethodSource("cases") void gradientsAreEqualWhetherActivationsAreKeptOrComputedAgain(TuningMethod method, Activations activations) throws Exception {
        SlotLayout layout = SlotLayout.of(method, Inventory.of(model.unet()));
        float[] numbers = Plain.random(1, layout.size()).data();
        for (int i = 0; i < numbers.length; i++) numbers[i] *= 0.05f;
        Differentiation.Gradient kept = gradient(layout, numbers, Activations.KEPT);
        Differentiation.Gradient again = gradient(layout, numbers, activations);
        assertEquals(kept.loss(), again.loss());
        double largest = 0;
        for (float number : kept.vector()) largest = Math.max(largest, Math.abs(number));
        assertTrue(largest > 0);
        int at = 0;
        for (SlotLayout.Entry entry : layout.trained()) {
            int size = (int) entry.slot().shape().elements();
            // Before the skips and the time embedding, gradients of several paths are summed in another order.
            double tolerance = entry.layer().name().startsWith("up_blocks.") || entry.layer().name().equals("conv_out") ? 0 : 1e-6 * largest;
            for (int i = at; i < at + size; i++) assertEquals(kept.vector()[i], again.vector()[i], tolerance, entry.key());
            at += size;
        }
        assertEquals(layout.size(), at);
    }

    @ParameterizedTest @MethodSource("cases") void twoCallsInARowAreEqual(TuningMethod method, Activations activations) throws Exception {
        SlotLayout layout = SlotLayout.of(method, Inventory.of(model.unet()));
        float[] numbers = Plain.random(1, layout.size()).data();
        assertTrue(Arrays.equals(gradient(layout, numbers, activations).vector(), gradient(layout, numbers, activations).vector()));
    }

    private static Differentiation.Gradient gradient(SlotLayout layout, float[] numbers, Activations activations) throws Exception {
        Tensor noisy = Plain.random(2, 2, 4, 8, 8);
        Batch batch = new Batch(noisy, new float[] {10, 700}, new Conditioning.Embedded(Plain.random(3, 2, 5, model.unet().contextWidth())), Plain.random(4, 2, 4, 8, 8), Tensor.filled(Shape.of(2, 1, 1, 1), 1));
        try (Differentiation differentiation = engine.differentiation(new DifferentiationInput(layout, Map.of(), activations, Precision.FP32))) {
            return differentiation.gradient(numbers, batch);
        }
    }
}

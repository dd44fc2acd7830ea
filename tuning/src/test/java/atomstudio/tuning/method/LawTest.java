package atomstudio.tuning.method;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static atomstudio.diffusion.TensorAssert.assertWithin;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.EagerOps;
import atomstudio.tuning.torch.Recording;
import atomstudio.tuning.torch.Torch;
import atomstudio.tuning.torch.TorchScope;
import atomstudio.tuning.torch.TorchSettings;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The law of the family, for every method and every kind of layer.
class LawTest {
    private static Torch torch;
    private static EagerOps ops;

    @BeforeAll static void load() throws Exception {
        torch = Torch.open(Device.CPU, TorchSettings.standard());
        ops = torch.ops();
    }

    @AfterAll static void release() {
        torch.close();
    }

    static List<TuningMethod> methods() {
        return List.of(new FilterAtoms(9), new FilterAtoms(4), new FilterAtoms(1), new ChannelAtoms(4, 16), new ChannelAtoms(2, 3),
                new Lora(4), new Lora(1), new Sum(List.of(new FilterAtoms(9), new ChannelAtoms(4, 16))));
    }

    static List<Layer> layers() {
        return List.of(layer("conv_in", Layer.Kind.CONV, 8, 4, 3, 3), layer("proj_in", Layer.Kind.CONV, 8, 8, 1, 1), layer("narrow", Layer.Kind.CONV, 8, 6, 1, 1),
                layer("attn1.to_q", Layer.Kind.LINEAR, 8, 12), layer("attn2.to_out.0", Layer.Kind.LINEAR, 12, 12), layer("ff.net.2", Layer.Kind.LINEAR, 8, 32),
                layer("norm", Layer.Kind.NORM, 8), layer("embedding", Layer.Kind.EMBEDDING, 16, 8));
    }

    static Stream<Arguments> everyMethodAndLayer() {
        return methods().stream().flatMap(method -> layers().stream().map(layer -> Arguments.of(method, layer)));
    }

    private static Layer layer(String name, Layer.Kind kind, long... weight) {
        return new Layer(name, kind, new Shape(weight), Layer.Bias.PRESENT);
    }

    @ParameterizedTest @MethodSource("everyMethodAndLayer") void nothingIsChangedAtTheStart(TuningMethod method, Layer layer) {
        if (!method.tunes(layer)) return;
        Tensor base = random("base", layer.weight());
        assertWithin(method + " on " + layer.name(), base, effective(method, layer, base, start(method, layer, base), 1), 0);
    }

    @ParameterizedTest @MethodSource("everyMethodAndLayer") void strengthScalesTheDifference(TuningMethod method, Layer layer) {
        if (!method.tunes(layer)) return;
        Tensor base = random("base", layer.weight());
        Map<String, Tensor> theta = point(method, layer, base);
        Tensor tuned = effective(method, layer, base, theta, 1);
        assertNotEquals(base, tuned);
        for (double strength : new double[] {0, 0.3, 1, 2}) {
            Tensor expected = Tensor.zeros(base.shape());
            for (int i = 0; i < base.data().length; i++) expected.data()[i] = (float) (base.data()[i] + strength * (tuned.data()[i] - base.data()[i]));
            assertClose(method + " on " + layer.name() + " at " + strength, expected, effective(method, layer, base, theta, strength), 1e-6);
        }
    }

    @ParameterizedTest @MethodSource("everyMethodAndLayer") void everyTrainedSlotHasAGradientAtARandomPoint(TuningMethod method, Layer layer) {
        Tensor base = random("base", layer.weight());
        Map<String, Tensor> theta = point(method, layer, base);
        for (Slot slot : method.slots(layer)) {
            if (!slot.trained()) continue;
            try (TorchScope scope = torch.scope(Recording.ON)) {
                NDArray leaf = torch.leaf(theta.get(slot.name()));
                NDArray weight = method.effective(ops, layer, affine(base), name -> name.equals(slot.name()) ? leaf : torch.array(theta.get(name)), torch.array(Tensor.filled(Shape.of(1), 1))).weight();
                NDArray zeros = torch.array(Tensor.zeros(layer.weight()));
                Tensor gradient = torch.gradient(ops.loss(weight, zeros, torch.array(Tensor.filled(Shape.of(1), 1))), leaf);
                for (float number : gradient.data()) assertTrue(number != 0 && Float.isFinite(number), method + " on " + layer.name() + "." + slot.name());
            }
        }
    }

    @ParameterizedTest @MethodSource("everyMethodAndLayer") void theDryRunAgreesOnShapes(TuningMethod method, Layer layer) {
        if (!method.tunes(layer)) return;
        Affine<Shape> base = new Affine<>(layer.weight(), layer.biasShape());
        assertEquals(base, method.effective(new ShapeOps(), layer, base, method.shapes(layer)::get, Shape.of(1)));
        assertEquals(method.slots(layer).stream().map(Slot::name).toList(), List.copyOf(method.shapes(layer).keySet()));
    }

    private static Map<String, Tensor> start(TuningMethod method, Layer layer, Tensor base) {
        Map<String, Tensor> theta = new HashMap<>();
        for (Slot slot : method.slots(layer)) {
            Tensor numbers = slot.start().numbers(base, new Noise(3, layer.name() + "." + slot.name()));
            assertEquals(slot.shape(), numbers.shape());
            theta.put(slot.name(), numbers);
        }
        return theta;
    }

    /// Frozen slots as they start, trained ones random.
    private static Map<String, Tensor> point(TuningMethod method, Layer layer, Tensor base) {
        Map<String, Tensor> theta = start(method, layer, base);
        for (Slot slot : method.slots(layer)) if (slot.trained()) theta.put(slot.name(), random(slot.name(), slot.shape()));
        return theta;
    }

    private static Tensor effective(TuningMethod method, Layer layer, Tensor base, Map<String, Tensor> theta, double strength) {
        try (TorchScope scope = torch.scope(Recording.OFF)) {
            return torch.tensor(method.effective(ops, layer, affine(base), name -> torch.array(theta.get(name)), torch.array(Tensor.filled(Shape.of(1), (float) strength))).weight());
        }
    }

    private static Affine<NDArray> affine(Tensor base) {
        return new Affine<>(torch.array(base), null);
    }

    private static Tensor random(String stream, Shape shape) {
        return new Tensor(shape, new Noise(1, stream).normals((int) shape.elements()));
    }
}

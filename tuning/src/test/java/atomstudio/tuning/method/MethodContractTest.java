package atomstudio.tuning.method;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static atomstudio.diffusion.TensorAssert.assertWithin;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.EagerOps;
import atomstudio.tuning.torch.GradMode;
import atomstudio.tuning.torch.Torch;
import atomstudio.tuning.torch.TorchScope;
import atomstudio.tuning.torch.TorchSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The contract of tuning methods, for every method and every kind of layer.
class MethodContractTest {
    private static Torch torch;
    private static EagerOps ops;

    @BeforeAll
    static void load() throws Exception {
        torch = Torch.open(Device.CPU, TorchSettings.standard());
        ops = torch.ops();
    }

    @AfterAll
    static void release() {
        torch.close();
    }

    static List<TuningMethod> methods() {
        return List.of(new SparseAtoms(12), new SparseAtoms(4), new FilterAtoms(9), new FilterAtoms(4),
                new FilterAtoms(1), new FilterAtoms(49), new OvercompleteAtoms(49, 1), new OvercompleteAtoms(9, 3),
                new OvercompleteAtoms(4, 2), new ChannelAtoms(4, 16),
                new ChannelAtoms(2, 3),
                new Lora(4), new Lora(1), new Lora(4, 2), new LoraFa(2, 3), new Pissa(2, 3),
                new Ia3(), new Vera(3, 0), new Boft(Oft.BlockSpec.parse("4"), 1), new Boft(Oft.BlockSpec.parse("2"), 2),
                new Loha(2, 4), new Lokr(2, 1, Lokr.NO_FACTOR), new Lokr(2, 1, 2),
                new RescaledRotation(oft(Oft.Side.OUTPUT, "4")),
                new RescaledRotation(new Boft(Oft.BlockSpec.parse("2"), 2)), oft(Oft.Side.INPUT, "4"),
                oft(Oft.Side.INPUT, "1/4"), oft(Oft.Side.OUTPUT, "4"), oft(Oft.Side.OUTPUT, "2"),
                oft(Oft.Side.OUTPUT, "1/2"), new Dora(2, 2), new BitFit(), new NormOnly(), new Ssf(), new DiffFit(),
                new Glora(2, 4), new GloraSupernet(2),
                new GloraTerms(2, GloraPattern.parse("llvvv")), new GloraTerms(1, GloraPattern.parse("vslsv")),
                new GloraTerms(2, GloraPattern.parse("snvnn")), new GloraTerms(2, GloraPattern.parse("nlnvs")),
                new TextualInversion(1), new TextualInversion(3), new FullFineTuning(), new SerialAdapter(3),
                new ParallelAdapter(3, 0.5), new TLora(4, 2, 2), new OrthogonalTLora(4, 2, 2),
                new SpatialKernels(new FilterAtoms(9)),
                new RestrictedMethod(new FilterAtoms(9), LayerSelector.parse("conv3x3")),
                new CombinedMethods(List.of(new RestrictedMethod(new FilterAtoms(9), LayerSelector.parse("conv3x3")),
                        new ChannelAtoms(4, 16))));
    }

    private static Oft oft(Oft.Side side, String block) {
        return new Oft(side, Oft.BlockSpec.parse(block));
    }

    /// Every kind of layer, with and without bias.
    static List<Layer> layers() {
        List<Layer> layers = new ArrayList<>();
        for (Layer.Bias bias : Layer.Bias.values()) {
            layers.add(layer("conv_in", Layer.Kind.CONV, bias, 8, 4, 3, 3));
            layers.add(layer("resnets.0.conv2", Layer.Kind.CONV, bias, 12, 8, 3, 3));
            layers.add(layer("proj_out", Layer.Kind.CONV, bias, 8, 8, 1, 1));
            layers.add(layer("narrow", Layer.Kind.CONV, bias, 8, 6, 1, 1));
            layers.add(new Layer(Component.CLASSIFIER, "depthwise", Layer.Kind.CONV, Shape.of(4, 1, 7, 7), bias, 4));
            layers.add(new Layer(Component.CLASSIFIER, "groups", Layer.Kind.CONV, Shape.of(8, 2, 3, 3), bias, 2));
            layers.add(layer("attn1.to_q", Layer.Kind.LINEAR, bias, 8, 12));
            layers.add(layer("attn2.to_out.0", Layer.Kind.LINEAR, bias, 12, 12));
            layers.add(layer("ff.net.2", Layer.Kind.LINEAR, bias, 8, 32));
        }
        layers.add(new Layer(Component.CLASSIFIER, "gamma", Layer.Kind.SCALE, Shape.of(8), Layer.Bias.ABSENT));
        layers.add(layer("norm", Layer.Kind.NORM, Layer.Bias.PRESENT, 8));
        layers.add(layer(TextualInversion.TOKEN_EMBEDDING, Layer.Kind.EMBEDDING, Layer.Bias.ABSENT, 16, 8));
        return layers;
    }

    /// Branches have a contract of their own ([BranchMethodsTest]).
    static Stream<Arguments> everyMethodAndLayer() {
        return methods().stream()
                .flatMap(method -> layers().stream().filter(method::changes).map(layer -> Arguments.of(method, layer)));
    }

    private static Layer layer(String name, Layer.Kind kind, Layer.Bias bias, long... weight) {
        return new Layer(Component.UNET, name, kind, new Shape(weight), bias);
    }

    @Test
    void everyMethodIsTestedOnATargetLayer() {
        for (MethodName name : MethodName.values()) {
            for (TuningMethod part : name.methods(MethodSettings.of(name), LayerSelector.ALL)) {
                TuningMethod tested = part instanceof RestrictedMethod restricted ? restricted.method() : part;
                assertTrue(methods().stream()
                        .anyMatch(method -> tested.getClass().isInstance(method)
                                && layers().stream().anyMatch(method::tunes)),
                        name + ": " + tested);
            }
        }
    }

    @ParameterizedTest @MethodSource("everyMethodAndLayer")
    void initializationChangesNothing(TuningMethod method, Layer layer) {
        LayerWeights<Tensor> base = base(layer);
        LayerWeights<Tensor> initialized = effective(method, layer, initialized(method, layer, base), 1);
        double tolerance = method.methodFor(layer) instanceof Dora ? 1e-6 : 0; // W · ‖W‖/‖W‖ rounds
        assertWithin(method + " on " + layer.name(), base.weight(),
                initialized.weight().rows(0, (int) layer.weightShape().size(0)), tolerance);
        Tensor none = Tensor.zeros(layer.biasShape());
        assertWithin(method + " on " + layer.name(), base.bias() == null ? none : base.bias(),
                initialized.bias() == null ? none : initialized.bias(), 0);
    }

    @ParameterizedTest @MethodSource("everyMethodAndLayer")
    void adapterWeightScalesTheDifference(TuningMethod method, Layer layer) {
        Map<String, Tensor> theta = randomPoint(method, layer, base(layer));
        LayerWeights<Tensor> baseWeights = effective(method, layer, theta, 0),
                adapted = effective(method, layer, theta, 1);
        assertWithin("adapter weight 0 is the base", base(layer).weight(),
                baseWeights.weight().rows(0, (int) layer.weightShape().size(0)), 0);
        assertNotEquals(baseWeights, adapted);
        for (double adapterWeight : new double[] {0.3, 2, -1}) {
            LayerWeights<Tensor> found = effective(method, layer, theta, adapterWeight);
            String what = method + " on " + layer.name() + " at " + adapterWeight;
            assertClose(what, interpolated(baseWeights.weight(), adapted.weight(), adapterWeight), found.weight(),
                    2e-6);
            assertEquals(adapted.bias() == null, found.bias() == null);
            if (adapted.bias() != null && baseWeights.bias() != null && found.bias() != null)
                assertClose(what, interpolated(baseWeights.bias(), adapted.bias(), adapterWeight), found.bias(), 2e-6);
        }
    }

    @ParameterizedTest @MethodSource("everyMethodAndLayer")
    void changesWeightMatchesTheEffectiveWeight(TuningMethod method, Layer layer) {
        float[] adapted = effective(method, layer, randomPoint(method, layer, base(layer)), 1).weight().data();
        assertEquals(!Arrays.equals(base(layer).weight().data(), adapted), method.changesWeight(layer),
                method + " on " + layer.name());
    }

    private static Tensor interpolated(Tensor baseWeights, Tensor adapted, double adapterWeight) {
        Tensor interpolated = Tensor.zeros(baseWeights.shape());
        for (int i = 0; i < interpolated.data().length; i++)
            interpolated.data()[i] = (float) (baseWeights.data()[i]
                    + adapterWeight * ((double) adapted.data()[i] - baseWeights.data()[i]));
        return interpolated;
    }

    @ParameterizedTest @MethodSource("everyMethodAndLayer")
    void everyTrainedParameterHasAGradientAtARandomPoint(TuningMethod method, Layer layer) {
        LayerWeights<Tensor> base = base(layer);
        Map<String, Tensor> theta = randomPoint(method, layer, base);
        for (ParameterSpec spec : method.parameterSpecs(layer)) {
            if (!spec.isTrained()) continue;
            try (TorchScope scope = torch.scope(GradMode.ON)) {
                NDArray leaf = torch.leaf(theta.get(spec.name()));
                LayerWeights<NDArray> adapted = method.effective(ops, layer, weights(base),
                        name -> name.equals(spec.name()) ? leaf : torch.array(theta.get(name)),
                        torch.array(Tensor.filled(Shape.of(1), 1)));
                NDArray loss = distance(adapted.weight());
                if (adapted.bias() != null) loss = ops.add(loss, distance(adapted.bias()));
                Tensor gradient = torch.gradient(loss, leaf);
                for (float number : gradient.data())
                    assertTrue(number != 0 && Float.isFinite(number),
                            method + " on " + layer.name() + "." + spec.name());
            }
        }
    }

    /// Loss against a random target; the norm alone would not change under a rotation.
    private static NDArray distance(NDArray found) {
        return ops.loss(found, torch.array(random("target", ops.shape(found))),
                torch.array(Tensor.filled(Shape.of(1), 1)));
    }

    @ParameterizedTest @MethodSource("everyMethodAndLayer")
    void shapeBackendAgrees(TuningMethod method, Layer layer) {
        LayerWeights<Shape> base = new LayerWeights<>(layer.weightShape(), layer.hasBias() ? layer.biasShape() : null);
        LayerWeights<Shape> shapes = method.effective(new ShapeOps(), layer, base, method.parameterShapes(layer)::get,
                Shape.of(1));
        LayerWeights<Tensor> found = effective(method, layer, randomPoint(method, layer, base(layer)), 1);
        assertEquals(found.weight().shape(), shapes.weight());
        assertEquals(found.bias() == null ? null : found.bias().shape(), shapes.bias());
        assertEquals(method.parameterSpecs(layer).stream().map(ParameterSpec::name).toList(),
                List.copyOf(method.parameterShapes(layer).keySet()));
    }

    @ParameterizedTest @MethodSource("everyMethodAndLayer")
    void kernelTransformGivesTheEffectiveWeight(TuningMethod method, Layer layer) {
        Map<String, Tensor> theta = randomPoint(method, layer, base(layer));
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            NDArray adapterWeight = torch.array(Tensor.filled(Shape.of(1), 0.7f));
            LayerWeights<NDArray> base = weights(base(layer));
            Optional<NDArray> transform = method.kernelTransform(ops, layer, name -> torch.array(theta.get(name)),
                    adapterWeight);
            if (transform.isEmpty()) return;
            Tensor materialized = torch
                    .tensor(new LayerWeights<>(base.weight(), base.bias(), transform.get()).materialized(ops).weight());
            assertClose(method + " on " + layer.name(), effective(method, layer, theta, 0.7f).weight(), materialized,
                    1e-6);
        }
    }

    /// ΔW = α · ΔD with α = unfold(W) · Dᵀ, of 20 of the 49 atoms of 7×7 kernels; all 49 span every change.
    @Test
    void largeKernelsHaveMoreThanNineAtoms() {
        Layer layer = new Layer(Component.CLASSIFIER, "dwconv", Layer.Kind.CONV, Shape.of(64, 1, 7, 7),
                Layer.Bias.ABSENT, 64);
        TuningMethod method = new FilterAtoms(20);
        Tensor base = base(layer).weight();
        Map<String, Tensor> theta = randomPoint(method, layer, base(layer));
        float[] w = base.data(), d = theta.get("D").data(), delta = theta.get("dD").data();
        Tensor expected = Tensor.generate(layer.weightShape(), i -> {
            int row = i / 49 * 49, column = i % 49;
            double sum = w[i];
            for (int atom = 0; atom < 20; atom++) {
                double alpha = 0;
                for (int k = 0; k < 49; k++) alpha += (double) w[row + k] * d[atom * 49 + k];
                sum += alpha * delta[atom * 49 + column];
            }
            return sum;
        });
        assertClose("20 atoms", expected, effective(method, layer, theta, 1).weight(), 2e-6);
        assertEquals(Map.of("M", Shape.of(49, 49)), new FilterAtoms(49).parameterShapes(layer));
        assertEquals(Map.of("M", Shape.of(49, 49)), new FilterAtoms(300).parameterShapes(layer), "at most k²");
    }

    private static Map<String, Tensor> initialized(TuningMethod method, Layer layer, LayerWeights<Tensor> base) {
        Map<String, Tensor> theta = new HashMap<>();
        for (ParameterSpec spec : method.parameterSpecs(layer)) {
            Tensor value = spec.initializer()
                    .initialize(new ParameterSpec.InitContext(base::weight,
                            new CounterRng(3, layer.name() + "." + spec.name()), List.of(3, 5), theta::get));
            assertEquals(spec.shape(), value.shape());
            theta.put(spec.name(), value);
        }
        return theta;
    }

    /// Frozen parameters as initialized, trained ones random.
    private static Map<String, Tensor> randomPoint(TuningMethod method, Layer layer, LayerWeights<Tensor> base) {
        Map<String, Tensor> theta = initialized(method, layer, base);
        for (ParameterSpec spec : method.parameterSpecs(layer))
            if (spec.isTrained()) theta.put(spec.name(), random(spec.name(), spec.shape()));
        return theta;
    }

    private static LayerWeights<Tensor> effective(TuningMethod method, Layer layer, Map<String, Tensor> theta,
            double adapterWeight) {
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            LayerWeights<NDArray> adapted = method.effective(ops, layer, weights(base(layer)),
                    name -> torch.array(theta.get(name)),
                    torch.array(Tensor.filled(Shape.of(1), (float) adapterWeight)));
            return new LayerWeights<>(torch.tensor(adapted.weight()),
                    adapted.bias() == null ? null : torch.tensor(adapted.bias()));
        }
    }

    private static LayerWeights<NDArray> weights(LayerWeights<Tensor> base) {
        return new LayerWeights<>(torch.array(base.weight()), base.bias() == null ? null : torch.array(base.bias()));
    }

    private static LayerWeights<Tensor> base(Layer layer) {
        return new LayerWeights<>(random("base", layer.weightShape()),
                layer.hasBias() ? random("bias", layer.biasShape()) : null);
    }

    private static Tensor random(String stream, Shape shape) {
        return new Tensor(shape, new CounterRng(1, stream).normals((int) shape.elements()));
    }
}

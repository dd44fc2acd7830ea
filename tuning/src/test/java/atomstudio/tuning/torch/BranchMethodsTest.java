package atomstudio.tuning.torch;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static atomstudio.diffusion.TensorAssert.assertWithin;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.NoisePredictor;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.ClassifierModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerCall;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.LayerSelector;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.OrthogonalTLora;
import atomstudio.tuning.method.ParallelAdapter;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.ParameterSpec;
import atomstudio.tuning.method.RestrictedMethod;
import atomstudio.tuning.method.SerialAdapter;
import atomstudio.tuning.method.TLora;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Methods that add branches: their formulas, the base model at initialization, their gradients in a network.
class BranchMethodsTest {
    private static final Layer FEED_FORWARD = new Layer(Component.UNET, "ff.net.2", Layer.Kind.LINEAR,
            Shape.of(6, 24), Layer.Bias.PRESENT);
    private static final double STEP = 1e-2;
    private static SmallNetwork network;

    @BeforeAll
    static void open() throws Exception {
        network = SmallNetwork.open();
    }

    @AfterAll
    static void close() {
        network.close();
    }

    static Stream<TuningMethod> methods() {
        return Stream.of(new SerialAdapter(3), new ParallelAdapter(3, 0.5), new TLora(4, 2, 2),
                new OrthogonalTLora(4, 2, 2));
    }

    /// s · (up · f(down · x + b) + c) in loops, with x (2, 5, 6).
    private static Tensor bottleneck(Tensor x, Map<String, Tensor> theta, DoubleUnaryOperator f, double factor) {
        float[] down = theta.get("down").data(), up = theta.get("up").data();
        return Tensor.generate(x.shape(), i -> {
            int token = i / 6, channel = i % 6;
            double sum = theta.get("up_bias").data()[channel];
            for (int h = 0; h < 3; h++) {
                double hidden = theta.get("down_bias").data()[h];
                for (int c = 0; c < 6; c++) hidden += (double) down[h * 6 + c] * x.data()[token * 6 + c];
                sum += up[channel * 3 + h] * f.applyAsDouble(hidden);
            }
            return factor * sum;
        });
    }

    /// The exact GELU by numerical integration of the normal density.
    private static double gelu(double x) {
        int steps = 2000;
        double sum = 0;
        for (int i = 0; i < steps; i++) sum += Math.exp(-0.5 * Math.pow((i + 0.5) / steps * x, 2));
        return x * (0.5 + sum * x / steps / Math.sqrt(2 * Math.PI));
    }

    private static Map<String, Tensor> theta(TuningMethod method) {
        Map<String, Tensor> theta = new HashMap<>();
        method.parameterShapes(FEED_FORWARD)
                .forEach((name, shape) -> theta.put(name, ReferenceOps.random(name.hashCode(), shape.sizes())));
        return theta;
    }

    private static Tensor branch(TuningMethod method, LayerCall<Tensor> call, Map<String, Tensor> theta, double s) {
        Torch torch = network.engine().torch();
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            LayerCall<NDArray> arrays = new LayerCall<>(call.layer(), torch.array(call.sublayerInput()),
                    torch.array(call.input()), torch.array(call.output()));
            return torch.tensor(method.branch(torch.ops(), arrays, name -> torch.array(theta.get(name)),
                    torch.array(Tensor.filled(Shape.of(1), (float) s))));
        }
    }

    @Test
    void branchesAreTheirFormulas() {
        Tensor sublayerInput = ReferenceOps.random(1, 2, 5, 6), output = ReferenceOps.random(3, 2, 5, 6);
        LayerCall<Tensor> call = new LayerCall<>(FEED_FORWARD, sublayerInput, ReferenceOps.random(2, 2, 5, 24),
                output);
        for (double s : new double[] {1, 0.3, -2}) {
            TuningMethod serial = new SerialAdapter(3), parallel = new ParallelAdapter(3, 0.5);
            assertClose("serial at " + s, bottleneck(output, theta(serial), BranchMethodsTest::gelu, s),
                    branch(serial, call, theta(serial), s), 1e-6);
            assertClose("parallel at " + s, bottleneck(sublayerInput, theta(parallel), x -> Math.max(x, 0), 0.5 * s),
                    branch(parallel, call, theta(parallel), s), 1e-6);
        }
    }

    /// Outputs and gradients of adapters 1.3.0 and of T-LoRA's authors (make_branches.py beside the goldens).
    @ParameterizedTest @ValueSource(strings = {"serial", "parallel", "tlora", "ortho"})
    void outputsAndGradientsAreThoseOfThePeers(String name) throws Exception {
        TuningMethod method = switch (name) {
            case "serial" -> new SerialAdapter(3);
            case "parallel" -> new ParallelAdapter(3, 0.5);
            case "tlora" -> new TLora(4, 4, 1);
            default -> new OrthogonalTLora(4, 4, 1);
        };
        try (SafetensorsFile golden = SafetensorsFile.open(
                Shared.root().resolve("tuning/src/test/resources/goldens/survey/branches.safetensors"))) {
            Map<String, Tensor> theta = new HashMap<>();
            List<String> leaves = new ArrayList<>(List.of("x"));
            for (ParameterSpec spec : method.parameterSpecs(FEED_FORWARD)) {
                if (spec.role() == ParameterSpec.Role.DERIVED) continue;
                theta.put(spec.name(), golden.read(name + "." + spec.name()));
                if (spec.isTrained()) leaves.add(spec.name());
            }
            theta.put("x", golden.read(name + ".x"));
            theta.putAll(method.atTimesteps(FEED_FORWARD, new float[] {400, 900}));
            for (String leaf : leaves) {
                Map.Entry<Tensor, Tensor> found = outputAndGradient(method, theta, golden.read(name + ".weights"),
                        leaf);
                assertWithin("output", golden.read(name + ".y"), found.getKey(), 2e-6);
                assertWithin("gradient of " + leaf, golden.read(name + ".grad." + leaf), found.getValue(), 1e-5);
            }
        }
    }

    /// The branch's output y, and the gradient of the sum of y · weights by the tensor of a name.
    private static Map.Entry<Tensor, Tensor> outputAndGradient(TuningMethod method, Map<String, Tensor> theta,
            Tensor weights, String name) {
        Torch torch = network.engine().torch();
        try (TorchScope scope = torch.scope(GradMode.ON)) {
            Map<String, NDArray> arrays = new HashMap<>();
            theta.forEach((key, value) -> arrays.put(key, key.equals(name) ? torch.leaf(value) : torch.array(value)));
            NDArray x = arrays.get("x"), y = method.branch(torch.ops(), new LayerCall<>(FEED_FORWARD, x, x, x),
                    arrays::get, torch.array(Tensor.filled(Shape.of(1), 1)));
            return Map.entry(torch.tensor(y), torch.gradient(y.mul(torch.array(weights)).sum(), arrays.get(name)));
        }
    }

    /// The start's vectors are orthonormal, and its values are distributed as the last singular values of matrices.
    @Test
    void theOrthogonalStartIsThatOfARandomMatrix() {
        int draws = 300;
        double[] found = new double[3], expected = new double[3];
        for (int draw = 0; draw < draws; draw++) {
            ParameterLayout layout = ParameterLayout.of(new OrthogonalTLora(3, 3, 1), List.of(FEED_FORWARD));
            Map<String, Tensor> start = layout.frozenValues(
                    new ParameterLayout.Initialization(_ -> Tensor.zeros(FEED_FORWARD.weightShape()), draw,
                            List.of()));
            float[] values = start.get(FEED_FORWARD.path() + ".S0").data();
            double[] exact = singularValues(gaussian(new Random(draw)));
            Arrays.sort(exact);
            for (int i = 0; i < 3; i++) {
                found[i] += values[i] * 3 / draws; // of standard deviation 1 / r
                expected[i] += exact[2 - i] / draws;
            }
            assertTrue(values[0] >= values[1] && values[1] >= values[2], "the largest first");
            assertOrthonormal(start.get(FEED_FORWARD.path() + ".Q0").data(), 24, 1);
            assertOrthonormal(start.get(FEED_FORWARD.path() + ".P0").data(), 1, 3);
        }
        for (int i = 0; i < 3; i++) assertEquals(expected[i], found[i], 0.04 * expected[i], "value " + i);
    }

    private static DMatrixRMaj gaussian(Random random) {
        DMatrixRMaj matrix = new DMatrixRMaj(24, 6);
        for (int i = 0; i < 24 * 6; i++) matrix.set(i, random.nextGaussian());
        return matrix;
    }

    private static double[] singularValues(DMatrixRMaj matrix) {
        SingularValueDecomposition_F64<DMatrixRMaj> svd = DecompositionFactory_DDRM.svd(24, 6, false, false, true);
        assertTrue(svd.decompose(matrix));
        return svd.getSingularValues().clone();
    }

    /// Of three vectors.
    /// @param between elements of one vector
    private static void assertOrthonormal(float[] values, int toNextVector, int between) {
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                double product = 0;
                for (int k = 0; k < values.length / 3; k++)
                    product += (double) values[i * toNextVector + k * between]
                            * values[j * toNextVector + k * between];
                assertEquals(i == j ? 1 : 0, product, 1e-5);
            }
    }

    /// ⌊(T − t)/T · (r − r_min)⌋ + r_min, as the authors' `get_mask_by_timestep` gives them.
    @Test
    void ranksFallWithTheNoise() {
        double[][] ranks = {{0, 64}, {250, 56}, {333, 53}, {500, 48}, {968, 33}, {969, 32}, {999, 32}, {1000, 32}};
        for (double[] each : ranks) assertEquals(each[1], mask(new TLora(64, 64, 32), (float) each[0]));
        assertEquals(4, mask(new TLora(4, 4, 4), 999), "LoRA");
        assertThrows(IllegalArgumentException.class, () -> new TLora(4, 4, 5));
        assertThrows(IllegalArgumentException.class, () -> MethodSettings.of(MethodName.T_LORA,
                Map.of(MethodSetting.RANK, "2", MethodSetting.MIN_RANK, "3")));
    }

    private static double mask(TLora method, float timestep) {
        double sum = 0;
        for (float each : method.atTimesteps(FEED_FORWARD, new float[] {timestep}).get("mask").data()) sum += each;
        return sum;
    }

    /// α/r · B · (m(t) ⊙ A x) in loops, with another t for each of two samples.
    @Test
    void everySampleHasTheRankOfItsTimestep() {
        TLora method = new TLora(4, 2, 1);
        Map<String, Tensor> theta = theta(method);
        theta.putAll(method.atTimesteps(FEED_FORWARD, new float[] {400, 900})); // ranks 2 and 1
        float[] a = theta.get("A").data(), b = theta.get("B").data();
        Tensor input = ReferenceOps.random(2, 2, 5, 24), tokens = ReferenceOps.random(1, 2, 5, 6);
        Tensor expected = Tensor.generate(tokens.shape(), i -> {
            int token = i / 6, channel = i % 6;
            double sum = 0;
            for (int k = 0; k < (token < 5 ? 2 : 1); k++)
                for (int c = 0; c < 24; c++)
                    sum += (double) b[channel * 4 + k] * a[k * 24 + c] * input.data()[token * 24 + c];
            return 0.7 * 2 / 4 * sum;
        });
        assertClose("masked", expected,
                branch(method, new LayerCall<>(FEED_FORWARD, tokens, input, tokens), theta, 0.7), 1e-6);
    }

    /// In a batch with the timesteps 10 and 700 no gradient reaches what lies beyond their ranks.
    @Test
    void componentsBeyondTheRankHaveNoGradient() throws Exception {
        TuningMethod method = new RestrictedMethod(new TLora(8, 8, 2), LayerSelector.parse("attention"));
        ParameterLayout layout = layout(method);
        float[] point = ReferenceOps.random(1, layout.size()).data();
        float[] gradient = network.gradient(layout, point, Checkpointing.NONE, ComputeDtype.FP32).vector();
        layout.fromVector(gradient).forEach((key, tensor) -> {
            if (!key.endsWith(".A")) return;
            int columns = (int) tensor.shape().size(1);
            for (int i = 0; i < tensor.data().length; i++)
                assertEquals(i / columns < 7, tensor.data()[i] != 0, key + " " + i); // r(10) = ⌊0.99 · 6⌋ + 2
        });
    }

    @ParameterizedTest @MethodSource("methods")
    void shapeBackendAgrees(TuningMethod method) {
        Shape tokens = Shape.of(2, 5, 6);
        assertEquals(tokens, method.branch(new ShapeOps(),
                new LayerCall<>(FEED_FORWARD, tokens, Shape.of(2, 5, 24), tokens),
                method.parameterShapes(FEED_FORWARD)::get, Shape.of(1)));
    }

    private static ParameterLayout layout(TuningMethod method) {
        ParameterLayout layout = ParameterLayout.of(method, network.model().unet().layers());
        network.engine().derive(layout, Map.of());
        return layout;
    }

    @ParameterizedTest @MethodSource("methods")
    void initializationGivesTheBaseModelExactly(TuningMethod method) throws Exception {
        ParameterLayout layout = layout(method);
        Map<String, Tensor> values = layout.fromVector(layout.initialVector(
                new ParameterLayout.Initialization(network.engine()::baseWeight, 3, List.of())));
        values.putAll(network.frozen(layout));
        Adapter adapter = new Adapter("start", "hash", method, values);
        Tensor latents = ReferenceOps.random(1, 1, 4, 8, 8);
        Conditioning context = Conditioning
                .of(ReferenceOps.random(2, 1, 5, network.model().unet().crossAttentionDim()));
        NoisePredictor predictor = network.engine().networks().noisePredictor();
        assertEquals(predictor.predict(latents, new float[] {321}, context, List.of()),
                predictor.predict(latents, new float[] {321}, context, List.of(new WeightedAdapter(adapter, 1))));
    }

    /// Differences of the loss along the gradient of each parameter tensor.
    @ParameterizedTest @MethodSource("methods")
    void gradientsAreThoseOfTheLoss(TuningMethod method) throws Exception {
        ParameterLayout layout = layout(method);
        float[] point = ReferenceOps.random(1, layout.size()).data();
        for (int i = 0; i < point.length; i++) point[i] *= 0.2f;
        try (DenoisingLoss loss = network.engine()
                .denoisingLoss(new DenoisingLossOptions(layout, network.frozen(layout), Checkpointing.NONE,
                        ComputeDtype.FP32))) {
            float[] gradient = loss.gradient(point, network.batch()).vector();
            int from = 0, checked = 0;
            for (ParameterLayout.LayerParameter entry : layout.trained()) {
                int to = from + (int) entry.spec().shape().elements();
                double length = 0;
                for (int i = from; i < to; i++) length = Math.hypot(length, gradient[i]);
                assertTrue(length > 0, entry.key());
                if (length > 1e-3) { // smaller ones vanish in the loss's rounding
                    double found = (loss.loss(moved(point, gradient, from, to, STEP / length), network.batch())
                            - loss.loss(moved(point, gradient, from, to, -STEP / length), network.batch()))
                            / (2 * STEP);
                    assertEquals(length, found, 0.03 * length + 1e-4, entry.key());
                    checked++;
                }
                from = to;
            }
            assertTrue(checked > layout.trained().size() / 2, checked + " of " + layout.trained().size());
        }
    }

    private static float[] moved(float[] point, float[] gradient, int from, int to, double factor) {
        float[] moved = point.clone();
        for (int i = from; i < to; i++) moved[i] += (float) (factor * gradient[i]);
        return moved;
    }

    @ParameterizedTest @MethodSource("methods")
    void stepsInBf16AreClose(TuningMethod method) throws Exception {
        ParameterLayout layout = layout(method);
        float[] point = ReferenceOps.random(1, layout.size()).data();
        for (int i = 0; i < point.length; i++) point[i] *= 0.2f;
        double full = network.gradient(layout, point, Checkpointing.SELECTIVE, ComputeDtype.FP32).loss();
        assertEquals(full, network.gradient(layout, point, Checkpointing.SELECTIVE, ComputeDtype.BF16).loss(),
                0.03 * full);
    }

    @Test
    void memoryOfAStepIncludesTheBranches() {
        long narrow = bytes(new SerialAdapter(1)), wide = bytes(new SerialAdapter(512));
        assertTrue(wide > narrow + 64 * 512 * Float.BYTES, narrow + ", " + wide);
    }

    private static long bytes(TuningMethod method) {
        return new TrainingStepMemory(network.model(), layout(method), Checkpointing.NONE, ComputeDtype.FP32)
                .bytes(1, 8, 8);
    }

    /// Two sublayers and one per block of a ViT, and the same logits at initialization.
    @Test
    void transformerBlocksOfClassifiersHaveThem() throws Exception {
        ClassifierModel model = ClassifierModel.open(ClassifierGoldenTest.GOLDENS.resolve("vit"));
        List<Layer> layers = model.network().layers();
        long blocks = layers.stream().filter(layer -> layer.path().endsWith("intermediate.dense")).count();
        assertTrue(blocks > 0);
        try (TorchClassifier torch = TorchClassifier.open(model, OptionalInt.empty(), Device.CPU,
                TorchSettings.standard())) {
            Tensor pixels = ReferenceOps.random(1, 2, 3, 24, 24);
            for (MethodName name : List.of(MethodName.SERIAL_ADAPTER, MethodName.PARALLEL_ADAPTER)) {
                TuningMethod method = MethodSettings.of(name).method();
                assertEquals(name == MethodName.SERIAL_ADAPTER ? 2 * blocks : blocks,
                        layers.stream().filter(method::tunes).count());
                ParameterLayout layout = ParameterLayout.of(method, layers);
                float[] start = layout.initialVector(
                        new ParameterLayout.Initialization(torch::baseWeight, 3, List.of()));
                assertEquals(torch.logits(pixels), torch.logits(pixels, layout, layout.fromVector(start)));
                for (int i = 0; i < start.length; i++) start[i] += 0.1f;
                assertNotEquals(torch.logits(pixels), torch.logits(pixels, layout, layout.fromVector(start)));
            }
        }
    }
}

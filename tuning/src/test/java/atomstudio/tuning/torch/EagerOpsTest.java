package atomstudio.tuning.torch;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static atomstudio.diffusion.TensorAssert.assertWithin;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class EagerOpsTest {
    private static final double TOLERANCE = 2e-6;
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

    @Test
    void convolutionMatchesItsFormulaForEveryPaddingAndStride() {
        Tensor x = ReferenceOps.random(1, 2, 3, 7, 6);
        Tensor bias = ReferenceOps.random(3, 4);
        for (Ops.ConvGeometry geometry : List.of(Ops.ConvGeometry.same(3), Ops.ConvGeometry.strided(2, 1),
                new Ops.ConvGeometry(2, 0, 0, 1, 1), new Ops.ConvGeometry(1, 0, 1, 2, 0))) {
            Tensor w = ReferenceOps.random(2, 4, 3, 3, 3);
            assertClose(geometry.toString(), ReferenceOps.conv2d(x, w, bias.data(), geometry),
                    eager(l -> ops.conv2d(l.get(0), new LayerWeights<>(l.get(1), l.get(2)), geometry), x, w, bias),
                    TOLERANCE);
            assertClose(geometry + " without bias", ReferenceOps.conv2d(x, w, new float[4], geometry),
                    eager(l -> ops.conv2d(l.get(0), new LayerWeights<>(l.get(1), null), geometry), x, w), TOLERANCE);
        }
    }

    @Test
    void reorderedKernelsConvolveLikeOthers() {
        assumeTrue(ComputeDtype.hasAmx(), "kernels are reordered on processors with AMX");
        EagerOps bf16 = torch.ops(ComputeDtype.BF16);
        Tensor x = ReferenceOps.random(1, 2, 512, 8, 8), w = ReferenceOps.random(2, 512, 512, 3, 3),
                bias = ReferenceOps.random(3, 512);
        for (Ops.ConvGeometry geometry : List.of(Ops.ConvGeometry.same(3), Ops.ConvGeometry.strided(2, 1),
                new Ops.ConvGeometry(2, 0, 0, 1, 1))) {
            List<Tensor> found = new ArrayList<>();
            for (boolean isReordered : new boolean[] {false, true}) {
                found.add(eager(l -> {
                    NDArray plain = bf16.toActivationDtype(l.get(1));
                    NDArray kernel = isReordered ? torch.bf16Weights().reordered(plain) : plain;
                    NDArray y = bf16.conv2d(bf16.toActivationDtype(l.get(0)),
                            new LayerWeights<>(kernel, bf16.toActivationDtype(l.get(2))), geometry);
                    torch.bf16Weights().release(kernel);
                    return bf16.toFloat32(y);
                }, x, w, bias));
            }
            assertArrayEquals(found.get(0).data(), found.get(1).data(), geometry.toString());
        }
    }

    @Test
    void temporariesAreFreedBeforeTheResultIsReturned() {
        List<NDArray> made = new ArrayList<>();
        Tensor found = eager(l -> {
            NDArray result = ops.freeingTemporaries(() -> {
                made.add(ops.silu(l.getFirst()));
                return ops.add(made.getFirst(), l.getFirst());
            });
            assertTrue(((PtNDArray) made.getFirst()).isReleased());
            return result;
        }, Tensor.filled(Shape.of(2), 0));
        assertArrayEquals(new float[2], found.data());
    }

    @Test
    void linearTransformsTheLastAxis() {
        Tensor x = ReferenceOps.random(1, 2, 5, 3);
        Tensor w = ReferenceOps.random(2, 4, 3);
        Tensor bias = ReferenceOps.random(3, 4);
        assertClose("linear", ReferenceOps.linear(x, w, bias.data()),
                eager(l -> ops.linear(l.get(0), new LayerWeights<>(l.get(1), l.get(2))), x, w, bias), TOLERANCE);
        assertClose("without bias", ReferenceOps.linear(x, w, new float[4]),
                eager(l -> ops.linear(l.get(0), new LayerWeights<>(l.get(1), null)), x, w), TOLERANCE);
    }

    @Test
    void matmulMultipliesTheLastTwoAxes() {
        Tensor a = ReferenceOps.random(1, 2, 3);
        Tensor b = new Tensor(Shape.of(3, 2), new float[] {1, 0, 0, 1, 2, -1});
        float[] x = a.data();
        float[] expected = {x[0] + 2 * x[2], x[1] - x[2], x[3] + 2 * x[5], x[4] - x[5]};
        assertWithin("matmul", new Tensor(Shape.of(2, 2), expected), eager(l -> ops.matmul(l.get(0), l.get(1)), a, b),
                1e-6);
    }

    @Test
    void inverseTimesMatrixIsIdentity() {
        Tensor x = ReferenceOps.random(1, 3, 5, 5);
        Tensor shifted = Tensor.zeros(x.shape());
        for (int n = 0; n < 3; n++)
            for (int i = 0; i < 5; i++)
                for (int j = 0; j < 5; j++)
                    shifted.data()[(n * 5 + i) * 5 + j] = (i == j ? 1 : 0) + x.data()[(n * 5 + i) * 5 + j]
                            - x.data()[(n * 5 + j) * 5 + i];
        Tensor product = eager(l -> ops.matmul(l.getFirst(), ops.inverse(l.getFirst())), shifted);
        for (int i = 0; i < 75; i++) assertEquals(i % 25 % 6 == 0 ? 1 : 0, product.data()[i], 1e-5);
    }

    @Test
    void inverseRowNormsMatchTheirFormula() {
        Tensor x = new Tensor(Shape.of(3, 2), new float[] {3, 4, 0, 0, -0.6f, 0.8f});
        Tensor found = eager(l -> ops.reciprocalRowNorms(l.getFirst()), x);
        assertEquals(Shape.of(3, 1), found.shape());
        assertEquals(0.2, found.data()[0], 1e-7);
        assertTrue(Float.isFinite(found.data()[1]), "a row of zeros");
        assertEquals(1, found.data()[2], 1e-6);
        assertWithin("a constant", x, eager(l -> ops.constant(x)), 0);
    }

    @Test
    void normsMatchTheirFormulas() {
        Tensor x = ReferenceOps.random(1, 2, 6, 3, 2);
        Tensor w = ReferenceOps.random(2, 6);
        Tensor bias = ReferenceOps.random(3, 6);
        for (double epsilon : new double[] {1e-5, 1e-6, 0.1}) {
            assertClose("groupNorm", ReferenceOps.normalize(x, 2 * 6, 6, w, bias, epsilon),
                    eager(l -> ops.groupNorm(l.get(0), new LayerWeights<>(l.get(1), l.get(2)), 3, epsilon), x, w, bias),
                    TOLERANCE);
            Tensor y = ReferenceOps.random(4, 2, 5, 6);
            assertClose("layerNorm", ReferenceOps.normalize(y, 6, 1, w, bias, epsilon),
                    eager(l -> ops.layerNorm(l.get(0), new LayerWeights<>(l.get(1), l.get(2)), epsilon), y, w, bias),
                    TOLERANCE);
        }
    }

    @Test
    void activationsMatchTheirFormulas() {
        Tensor x = ReferenceOps.random(1, 200);
        assertClose("silu", ReferenceOps.map(x, v -> v / (1 + Math.exp(-v))), eager(l -> ops.silu(l.getFirst()), x),
                TOLERANCE);
        assertClose("quickGelu", ReferenceOps.map(x, v -> v / (1 + Math.exp(-1.702 * v))),
                eager(l -> ops.quickGelu(l.getFirst()), x), TOLERANCE);
        Tensor some = new Tensor(Shape.of(4), new float[] {-1, 0, 1, 2});
        Tensor gelu = new Tensor(Shape.of(4), new float[] {-0.15865525f, 0, 0.84134475f, 1.9544997f});
        assertWithin("gelu is x times the normal distribution", gelu, eager(l -> ops.gelu(l.getFirst()), some), 1e-6);
        assertClose("scale", ReferenceOps.map(x, v -> -0.125 * v), eager(l -> ops.scale(l.getFirst(), -0.125), x),
                TOLERANCE);
    }

    @Test
    void attentionMatchesItsFormulaWithAndWithoutCausalMask() {
        Tensor q = ReferenceOps.random(1, 2, 5, 8);
        Tensor k = ReferenceOps.random(2, 2, 3, 8);
        Tensor v = ReferenceOps.random(3, 2, 3, 8);
        assertClose("across", ReferenceOps.attention(q, k, v, 2, false),
                eager(l -> ops.attention(l.get(0), l.get(1), l.get(2), Ops.AttentionConfig.of(2)), q, k, v), TOLERANCE);
        Ops.AttentionConfig causal = new Ops.AttentionConfig(4, Ops.AttentionConfig.Mask.CAUSAL);
        assertClose("causal", ReferenceOps.attention(q, q, q, 4, true),
                eager(l -> ops.attention(l.getFirst(), l.getFirst(), l.getFirst(), causal), q), TOLERANCE);
    }

    @Test
    void upsamplingUsesTheFlooredPixel() {
        Tensor x = ReferenceOps.random(1, 1, 2, 3, 4);
        Tensor found = eager(l -> ops.upsampleNearest(l.getFirst(), 5, 8), x);
        Tensor expected = Tensor.zeros(Shape.of(1, 2, 5, 8));
        for (int c = 0; c < 2; c++)
            for (int r = 0; r < 5; r++)
                for (int w = 0; w < 8; w++)
                    expected.data()[(c * 5 + r) * 8 + w] = x.data()[(c * 3 + r * 3 / 5) * 4 + w / 2];
        assertWithin("nearest", expected, found, 0);
    }

    @Test
    void embeddingSelectsRowsById() {
        Tensor table = ReferenceOps.random(1, 7, 3);
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            Tensor found = torch.tensor(ops.embedding(torch.array(table), torch.array(new int[][] {{6, 0}, {3, 3}})));
            assertEquals(Shape.of(2, 2, 3), found.shape());
            assertArrayEquals(java.util.Arrays.copyOfRange(table.data(), 18, 21),
                    java.util.Arrays.copyOf(found.data(), 3));
            assertArrayEquals(java.util.Arrays.copyOfRange(table.data(), 9, 12),
                    java.util.Arrays.copyOfRange(found.data(), 9, 12));
        }
    }

    @Test
    void reshapePermuteSplitAndConcatMatchNumPy() {
        Tensor x = ReferenceOps.random(1, 2, 3, 4);
        Tensor moved = eager(l -> ops.permute(l.getFirst(), 2, 0, 1), x);
        assertEquals(Shape.of(4, 2, 3), moved.shape());
        assertEquals(x.data()[(1 * 3 + 2) * 4 + 3], moved.data()[(3 * 2 + 1) * 3 + 2]);
        assertWithin("split, then concat", x, eager(l -> {
            List<NDArray> halves = ops.split(l.getFirst(), 2, -1);
            return ops.concat(halves.get(0), halves.get(1), 2);
        }, x), 0);
        assertWithin("broadcast", ReferenceOps.map(x, v -> v + 2),
                eager(l -> ops.add(l.get(0), l.get(1)), x, Tensor.filled(Shape.of(1, 3, 1), 2)), 0);
        assertWithin("broadcast", ReferenceOps.map(x, v -> v * 2),
                eager(l -> ops.multiply(l.get(0), l.get(1)), x, Tensor.filled(Shape.of(1), 2)), 0);
    }

    private static Tensor eager(Function<List<NDArray>, NDArray> f, Tensor... inputs) {
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            return torch.tensor(f.apply(java.util.Arrays.stream(inputs).map(torch::array).toList()));
        }
    }
}

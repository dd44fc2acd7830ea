package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Gradients of every operation against finite differences along a random direction.
class OperationGradientTest {
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

    @TestFactory
    List<DynamicTest> everyOperationIsDifferentiated() {
        LayerWeights<Tensor> norm = new LayerWeights<>(ReferenceOps.random(9, 4), ReferenceOps.random(10, 4));
        Tensor kernel = ReferenceOps.random(11, 3, 4, 3, 3);
        Map<String, Function<NDArray, NDArray>> functions = new LinkedHashMap<>();
        functions.put("silu", ops::silu);
        functions.put("gelu", ops::gelu);
        functions.put("quickGelu", ops::quickGelu);
        functions.put("scale", x -> ops.scale(x, 3));
        functions.put("add and multiply", x -> ops.multiply(ops.add(x, x), x));
        functions.put("groupNorm", x -> ops.groupNorm(x, native_(norm), 2, 1e-5));
        functions.put("layerNorm", x -> ops.layerNorm(ops.permute(x, 0, 2, 3, 1), native_(norm), 1e-5));
        functions.put("conv2d",
                x -> ops.conv2d(x, new LayerWeights<>(torch.array(kernel), null), Ops.ConvGeometry.same(3)));
        functions.put("conv2d padded on two sides",
                x -> ops.conv2d(x, new LayerWeights<>(torch.array(kernel), null), new Ops.ConvGeometry(2, 0, 0, 1, 1)));
        functions.put("conv2d by its weight", x -> ops.conv2d(torch.array(ReferenceOps.random(12, 1, 4, 6, 6)),
                new LayerWeights<>(x, null), Ops.ConvGeometry.same(3)));
        functions.put("linear by its weight", x -> ops.linear(torch.array(ReferenceOps.random(12, 5, 6)),
                new LayerWeights<>(ops.reshape(x, Shape.of(24, 6)), null)));
        functions.put("attention", x -> {
            List<NDArray> parts = ops.split(ops.reshape(x, Shape.of(1, 6, 24)), 3, 2);
            return ops.attention(parts.get(0), parts.get(1), parts.get(2), Ops.AttentionConfig.of(2));
        });
        functions.put("upsampleNearest", x -> ops.upsampleNearest(x, 13, 7));
        functions.put("concat", x -> ops.concat(x, ops.silu(x), 1));
        functions.put("matmul", x -> ops.matmul(x, ops.permute(x, 0, 1, 3, 2)));
        functions.put("skew", x -> ops.skewSymmetric(ops.reshape(x, Shape.of(144 / 6, 6)), 4));
        functions.put("inverse", x -> {
            NDArray square = ops.reshape(x, Shape.of(4, 6, 6));
            NDArray skew = ops.add(square, ops.scale(ops.permute(square, 0, 2, 1), -1));
            float[] identity = new float[36];
            for (int i = 0; i < 6; i++) identity[7 * i] = 1;
            return ops.inverse(ops.add(skew, ops.constant(new Tensor(Shape.of(1, 6, 6), identity))));
        });
        return functions.entrySet()
                .stream()
                .map(f -> DynamicTest.dynamicTest(f.getKey(), () -> check(f.getKey(), f.getValue())))
                .toList();
    }

    private static void check(String name, Function<NDArray, NDArray> f) {
        Tensor x = ReferenceOps.random(1, 1, 4, 6, 6);
        if (name.contains("conv2d by")) x = ReferenceOps.random(1, 3, 4, 3, 3);
        Tensor direction = ReferenceOps.random(2, x.shape().sizes());
        double step = 2e-3;
        double slope = (value(f, moved(x, direction, step)) - value(f, moved(x, direction, -step))) / (2 * step);
        double found = dot(gradient(f, x).data(), direction.data());
        assertEquals(slope, found, 5e-3 * Math.max(1, Math.abs(slope)), name);
    }

    @Test
    void lossIsTheMeanOfWeightedSquaredErrors() {
        Tensor found = ReferenceOps.random(1, 2, 3, 2, 2);
        Tensor target = ReferenceOps.random(2, 2, 3, 2, 2);
        Tensor weights = new Tensor(Shape.of(2, 1, 2, 2), new float[] {1, 0.25f, 0, 2, 1, 1, 3, 0.5f});
        double expected = 0;
        for (int i = 0; i < 24; i++)
            expected += Math.pow(found.data()[i] - target.data()[i], 2) / 24 * weights.data()[i / 12 * 4 + i % 4];
        try (TorchScope scope = torch.scope(GradMode.ON)) {
            NDArray leaf = torch.leaf(found);
            NDArray loss = ops.loss(leaf, torch.array(target), torch.array(weights));
            assertEquals(expected, torch.tensor(loss).data()[0], 1e-6);
            Tensor gradient = torch.gradient(loss, leaf);
            for (int i = 0; i < 24; i++)
                assertEquals(2 * (found.data()[i] - target.data()[i]) / 24 * weights.data()[i / 12 * 4 + i % 4],
                        gradient.data()[i], 1e-6);
        }
    }

    @Test
    void scopeWithoutGradRecordsNothing() throws Exception {
        Thread fresh = new Thread(() -> {
            try (TorchScope scope = torch.scope(GradMode.OFF)) {
                NDArray leaf = torch.leaf(ReferenceOps.random(1, 4));
                NDArray y = ops.silu(leaf);
                assertTrue(!y.hasGradient());
            }
        });
        Throwable[] thrown = new Throwable[1];
        fresh.setUncaughtExceptionHandler((thread, e) -> thrown[0] = e);
        fresh.start();
        fresh.join();
        assertEquals(null, thrown[0]);
    }

    @Test
    void equalStepsAreBitIdentical() {
        Tensor x = ReferenceOps.random(1, 4, 32, 16, 16);
        Tensor w = ReferenceOps.random(2, 32, 32, 3, 3);
        Function<NDArray, NDArray> f = leaf -> ops.groupNorm(
                ops.silu(ops.conv2d(torch.array(x), new LayerWeights<>(leaf, null), Ops.ConvGeometry.same(3))),
                native_(new LayerWeights<>(ReferenceOps.random(3, 32), ReferenceOps.random(4, 32))), 4, 1e-5);
        float[] first = gradient(f, w).data();
        for (int i = 0; i < 5; i++) assertArrayEquals(first, gradient(f, w).data());
    }

    @Test
    void scopeFreesItsArrays() {
        NDArray kept;
        NDArray freed;
        try (TorchScope scope = torch.scope(GradMode.ON)) {
            freed = torch.leaf(ReferenceOps.random(1, 4));
            kept = scope.keep(ops.silu(freed));
        }
        assertEquals(4, torch.tensor(kept).data().length);
        assertTrue(((ai.djl.pytorch.engine.PtNDArray) freed).isReleased());
        kept.close();
    }

    private static double value(Function<NDArray, NDArray> f, Tensor x) {
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            Tensor y = torch.tensor(f.apply(torch.array(x)));
            return dot(y.data(), ReferenceOps.random(7, y.data().length).data());
        }
    }

    private static Tensor gradient(Function<NDArray, NDArray> f, Tensor x) {
        try (TorchScope scope = torch.scope(GradMode.ON)) {
            NDArray leaf = torch.leaf(x);
            NDArray y = f.apply(leaf);
            int count = (int) y.size();
            NDArray weighted = ops.matmul(ops.reshape(y, Shape.of(1, count)),
                    ops.reshape(torch.array(ReferenceOps.random(7, count)), Shape.of(count, 1)));
            return torch.gradient(weighted, leaf);
        }
    }

    private static Tensor moved(Tensor x, Tensor direction, double by) {
        Tensor y = Tensor.zeros(x.shape());
        for (int i = 0; i < y.data().length; i++) y.data()[i] = (float) (x.data()[i] + by * direction.data()[i]);
        return y;
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) sum += (double) a[i] * b[i];
        return sum;
    }

    private static LayerWeights<NDArray> native_(LayerWeights<Tensor> layer) {
        return new LayerWeights<>(torch.array(layer.weight()), layer.bias() == null ? null : torch.array(layer.bias()));
    }
}

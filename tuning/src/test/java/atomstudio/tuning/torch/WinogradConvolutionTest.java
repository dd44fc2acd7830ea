package atomstudio.tuning.torch;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WinogradConvolutionTest {
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

    /// Two blocks, the first with a skip around two convolutions, one with a kernel transform and one without.
    @ParameterizedTest @EnumSource
    void gradientsMatchAutograd(Checkpointing activations) {
        for (String by : List.of("x", "m")) {
            List<Tensor> direct = pass(by, Checkpointing.NONE, Way.DIRECT), fast = pass(by, activations, Way.WINOGRAD);
            for (int i = 0; i < direct.size(); i++)
                assertClose(List.of("output", "by " + by).get(i), direct.get(i), fast.get(i), 1e-4);
        }
    }

    @Test
    void transformsKernelsInChunks() {
        Shape large = Shape.of(1024, 256, 3, 3);
        assertTrue(KernelThresholds.winogradChunk(large) < large.size(0));
        assertEquals(6, KernelThresholds.winogradChunk(Shape.of(6, 6, 3, 3)));
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            NDArray x = torch.array(ReferenceOps.random(6, 1, 256, 8, 8)),
                    weight = torch.array(ReferenceOps.random(5, 1024, 256, 3, 3));
            WinogradConvolution fast = new WinogradConvolution(torch.kernels(), new LayerWeights<>(weight, null));
            // A recorded input makes conv2d use the direct convolution.
            NDArray recorded = torch.leaf(ReferenceOps.random(6, 1, 256, 8, 8));
            assertClose("parts",
                    torch.tensor(ops.conv2d(recorded, new LayerWeights<>(weight, null), Ops.ConvGeometry.same(3))),
                    torch.tensor(fast.forward(x)), 3e-5);
        }
    }

    @Test
    void gradientsAccumulateOverChunks() {
        for (String by : List.of("x", "m")) assertClose("by " + by, wide(by, Way.DIRECT), wide(by, Way.WINOGRAD), 1e-4);
    }

    private static Tensor wide(String by, Way way) {
        try (TorchScope scope = torch.scope(GradMode.ON); Tape tape = torch.tape(Checkpointing.SELECTIVE)) {
            Tensor x = ReferenceOps.random(6, 1, 256, 8, 8), m = ReferenceOps.random(3, 9, 9);
            NDArray leaf = torch.leaf(by.equals("x") ? x : m), trained = ops.scale(leaf, 1);
            LayerWeights<NDArray> layer = new LayerWeights<>(torch.array(ReferenceOps.random(5, 1024, 256, 3, 3)), null,
                    by.equals("x") ? torch.array(m) : trained);
            NDArray y = convolve(by.equals("x") ? trained : torch.array(x), layer, tape, way);
            return new Tensor(DjlShapes.shape(leaf), torch.gradient(
                    ops.loss(y, torch.array(Tensor.zeros(Shape.of(1))), torch.array(Tensor.filled(Shape.of(1), 1))),
                    List.of(leaf), tape));
        }
    }

    @Test
    void isFasterOnlyForWholeTiles() {
        assertTrue(KernelThresholds.prefersWinograd(Shape.of(1, 256, 32, 32), Shape.of(256, 256, 3, 3),
                Ops.ConvGeometry.same(3)));
        assertFalse(KernelThresholds.prefersWinograd(Shape.of(1, 256, 34, 32), Shape.of(256, 256, 3, 3),
                Ops.ConvGeometry.same(3)));
    }

    private enum Way { DIRECT, WINOGRAD }

    private static List<Tensor> pass(String by, Checkpointing activations, Way way) {
        try (TorchScope scope = torch.scope(GradMode.ON); Tape tape = torch.tape(activations)) {
            EagerOps on = way == Way.DIRECT ? ops : ops.withTape(tape);
            Tensor x = ReferenceOps.random(1, 2, 6, 8, 12), m = ReferenceOps.random(3, 9, 9);
            NDArray leaf = torch.leaf(by.equals("x") ? x : m),
                    input = by.equals("x") ? ops.scale(leaf, 1) : torch.array(x),
                    mixing = by.equals("x") ? torch.array(m) : ops.scale(leaf, 1);
            tape.markTrainableUse();
            NDArray first = torch.array(ReferenceOps.random(4, 6, 6, 3, 3)),
                    second = torch.array(ReferenceOps.random(5, 6, 6, 3, 3)),
                    bias = torch.array(ReferenceOps.random(6, 6));
            NDArray middle = on.checkpointed("one", List.of(input), in -> {
                tape.markTrainableUse();
                NDArray h = on.add(
                        convolve(activated(on, in.getFirst()), new LayerWeights<>(first, bias, mixing), tape, way),
                        on.reshape(bias, Shape.of(1, 6, 1, 1)));
                return on.add(in.getFirst(), convolve(activated(on, h), new LayerWeights<>(second, null), tape, way));
            });
            NDArray y = on.checkpointed("two", List.of(middle), in -> {
                tape.markTrainableUse();
                return convolve(activated(on, in.getFirst()), new LayerWeights<>(second, null, mixing), tape, way);
            });
            NDArray loss = ops.loss(y, torch.array(Tensor.zeros(Shape.of(1))),
                    torch.array(Tensor.filled(Shape.of(1), 1)));
            List<Tensor> found = new ArrayList<>(List.of(torch.tensor(y)));
            found.add(way == Way.DIRECT ? torch.gradient(loss, leaf)
                    : new Tensor(DjlShapes.shape(leaf), torch.gradient(loss, List.of(leaf), tape)));
            return found;
        }
    }

    private static NDArray activated(EagerOps on, NDArray x) {
        return on.checkpointed("block.norm1", List.of(x), in -> on.silu(on.scale(in.getFirst(), 2)));
    }

    private static NDArray convolve(NDArray x, LayerWeights<NDArray> layer, Tape tape, Way way) {
        return switch (way) {
            case DIRECT ->
                    ops.conv2d(x, new LayerWeights<>(layer.weight(), null, layer.kernelTransform()).materialized(ops),
                            Ops.ConvGeometry.same(3));
            case WINOGRAD -> tape.run(x, new WinogradConvolution(torch.kernels(), layer));
        };
    }
}

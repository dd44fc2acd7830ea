package atomstudio.tuning.torch;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Compares the transform of the activations with the transform of the weight.
class AtomConvolutionTest {
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

    static Stream<Arguments> cases() {
        return Stream.of(Arguments.of(Shape.of(9, 9), Ops.ConvGeometry.same(3)),
                Arguments.of(Shape.of(9, 9), Ops.ConvGeometry.strided(2, 1)),
                Arguments.of(Shape.of(6, 9, 9), Ops.ConvGeometry.same(3)),
                Arguments.of(Shape.of(6, 9, 9), Ops.ConvGeometry.strided(2, 1)));
    }

    @ParameterizedTest @MethodSource("cases")
    void matchesAutogradAtARandomPoint(Shape mixing, Ops.ConvGeometry geometry) {
        List<Tensor> weight = pass(mixing, (x, layer, tape) -> ops.conv2d(x, layer.materialized(ops), geometry));
        List<Tensor> recorded = pass(mixing, (x, layer, tape) -> TorchKernels
                .addBias(new AtomConvolution(torch.kernels(), layer, geometry).forward(x), layer));
        List<Tensor> own = pass(mixing, (x, layer, tape) -> TorchKernels
                .addBias(tape.run(x, new AtomConvolution(torch.kernels(), layer, geometry)), layer));
        for (int i = 0; i < weight.size(); i++) {
            assertClose(List.of("output", "by input", "by mixing").get(i), weight.get(i), recorded.get(i), 1e-5);
            assertClose(List.of("output", "by input", "by mixing").get(i) + ", own gradients", weight.get(i),
                    own.get(i), 1e-5);
        }
    }

    @Test
    void smallConvolutionsMaterializeTheirWeight() {
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            NDArray x = torch.array(ReferenceOps.random(1, 1, 6, 8, 8));
            LayerWeights<NDArray> layer = new LayerWeights<>(torch.array(ReferenceOps.random(2, 5, 6, 3, 3)), null,
                    torch.array(ReferenceOps.random(3, 9, 9)));
            assertEquals(false, AtomConvolution.isFaster(x, layer, Ops.ConvGeometry.same(3)));
        }
    }

    private interface Way {
        NDArray run(NDArray x, LayerWeights<NDArray> layer, Tape tape);
    }

    private static List<Tensor> pass(Shape mixing, Way way) {
        List<Tensor> found = new ArrayList<>();
        for (String by : List.of("x", "m")) {
            try (TorchScope scope = torch.scope(GradMode.ON); Tape tape = torch.tape(Checkpointing.SELECTIVE)) {
                Tensor x = ReferenceOps.random(1, 2, 6, 8, 8), m = ReferenceOps.random(3, mixing.sizes());
                NDArray leaf = torch.leaf(by.equals("x") ? x : m);
                LayerWeights<NDArray> layer = new LayerWeights<>(torch.array(ReferenceOps.random(2, 5, 6, 3, 3)),
                        torch.array(ReferenceOps.random(4, 5)), by.equals("x") ? torch.array(m) : ops.scale(leaf, 1));
                NDArray y = way.run(by.equals("x") ? ops.scale(leaf, 1) : torch.array(x), layer, tape);
                if (found.isEmpty()) found.add(torch.tensor(y));
                found.add(new Tensor(DjlShapes.shape(leaf), torch.gradient(
                        ops.loss(y, torch.array(Tensor.zeros(Shape.of(1))), torch.array(Tensor.filled(Shape.of(1), 1))),
                        List.of(leaf), tape)));
            }
        }
        return found;
    }
}

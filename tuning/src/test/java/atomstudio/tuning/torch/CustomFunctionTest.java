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
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Layers that recompute their weight in the backward pass, against autograd.
class CustomFunctionTest {
    private static Torch torch;
    private static EagerOps ops;

    @BeforeAll
    static void open() throws Exception {
        torch = Torch.open(Device.CPU, TorchSettings.standard());
        ops = torch.ops();
    }

    @AfterAll
    static void release() {
        torch.close();
    }

    private enum Change { BLOCKS, WEIGHT, WEIGHT_AND_BIAS }

    private record Case(Change change, Shape x, Shape weight, Ops.@Nullable ConvGeometry geometry, boolean biased) {}

    static Stream<Arguments> cases() {
        List<Case> cases = new ArrayList<>();
        for (Change change : Change.values()) {
            cases.add(new Case(change, Shape.of(2, 5, 8), Shape.of(12, 8), null, true));
            cases.add(new Case(change, Shape.of(3, 8), Shape.of(12, 8), null, false));
            cases.add(new Case(change, Shape.of(2, 8, 6, 4), Shape.of(12, 8, 1, 1), Ops.ConvGeometry.same(1), true));
            cases.add(new Case(change, Shape.of(1, 8, 6, 4), Shape.of(12, 8, 1, 1), Ops.ConvGeometry.same(1), false));
            cases.add(new Case(change, Shape.of(2, 8, 6, 4), Shape.of(12, 8, 1, 1), Ops.ConvGeometry.strided(2, 0),
                    true));
            cases.add(new Case(change, Shape.of(1, 3, 1024), Shape.of(2 * 2048 + 4, 1024), null, true)); // in chunks
            cases.add(new Case(change, Shape.of(2, 1024, 3, 2), Shape.of(2048 + 4, 1024, 1, 1),
                    Ops.ConvGeometry.same(1), true));
        }
        cases.add(new Case(Change.WEIGHT, Shape.of(2, 6, 8, 8), Shape.of(5, 6, 3, 3), Ops.ConvGeometry.same(3), true));
        cases.add(new Case(Change.WEIGHT_AND_BIAS, Shape.of(2, 6, 8, 8), Shape.of(5, 6, 3, 3),
                Ops.ConvGeometry.strided(2, 1), true));
        cases.add(new Case(Change.WEIGHT, Shape.of(1, 6, 8, 8), Shape.of(5, 6, 3, 3),
                new Ops.ConvGeometry(2, 0, 0, 1, 1), true));
        cases.add(new Case(Change.WEIGHT, Shape.of(1, 256, 32, 32), Shape.of(256, 256, 3, 3), Ops.ConvGeometry.same(3),
                true)); // Winograd
        return cases.stream().map(Arguments::of);
    }

    @ParameterizedTest @MethodSource("cases")
    void outputAndGradientsMatchAutograd(Case testCase) {
        for (Checkpointing activations : List.of(Checkpointing.SELECTIVE, Checkpointing.FULL)) {
            List<Tensor> recorded = pass(testCase, null), own = pass(testCase, activations);
            assertEquals(recorded.size(), own.size());
            for (int i = 0; i < recorded.size(); i++)
                assertClose(List.of("output", "by input", "by the parameters", "by another").get(i), recorded.get(i),
                        own.get(i), 2e-5);
        }
    }

    /// @param activations none: without a tape
    private static List<Tensor> pass(Case testCase, @Nullable Checkpointing activations) {
        try (TorchScope scope = torch.scope(GradMode.ON);
                Tape tape = torch.tape(activations == null ? Checkpointing.NONE : activations)) {
            EagerOps on = activations == null ? ops : ops.withTape(tape);
            NDArray x = torch.leaf(ReferenceOps.random(1, testCase.x.sizes())), first = torch.leaf(
                    ReferenceOps.random(3,
                            (testCase.change == Change.BLOCKS ? Shape.of(16, 16) : testCase.weight).sizes()));
            NDArray second = torch.leaf(ReferenceOps.random(4, testCase.weight.size(0)));
            LayerWeights<NDArray> base = new LayerWeights<>(
                    torch.array(ReferenceOps.random(5, testCase.weight.sizes())),
                    testCase.biased ? torch.array(ReferenceOps.random(6, testCase.weight.size(0))) : null);
            LayerWeights<NDArray> layer = switch (testCase.change) {
                case BLOCKS -> new LayerWeights<>(base.weight(), base.bias(), ops.scale(first, 0.1));
                case WEIGHT -> new LayerWeights<>(base.weight(), base.bias(), null,
                        () -> new LayerWeights<>(plus(base.weight(), first, tape), base.bias()));
                case WEIGHT_AND_BIAS -> new LayerWeights<>(base.weight(), base.bias(), null,
                        () -> new LayerWeights<>(plus(base.weight(), first, tape),
                                base.bias() == null ? second : ops.add(base.bias(), second)));
            };
            NDArray y = on.checkpointed("block", List.of(ops.scale(x, 1)), in -> {
                tape.markTrainableUse();
                return testCase.geometry == null ? on.linear(in.getFirst(), layer)
                        : on.conv2d(in.getFirst(), layer, testCase.geometry);
            });
            NDArray loss = ops.loss(y, torch.array(ReferenceOps.random(7, ops.shape(y).sizes())),
                    torch.array(Tensor.filled(Shape.of(1), 1)));
            List<NDArray> leaves = List.of(x, first, second);
            List<Tensor> found = new ArrayList<>(List.of(torch.tensor(y)));
            float[] vector = torch.gradient(loss, leaves, tape);
            int at = 0;
            for (NDArray leaf : leaves)
                found.add(new Tensor(DjlShapes.shape(leaf),
                        java.util.Arrays.copyOfRange(vector, at, at += (int) leaf.size())));
            return found;
        }
    }

    private static NDArray plus(NDArray base, NDArray change, Tape tape) {
        tape.markTrainableUse();
        return ops.add(base, ops.multiply(change, ops.scale(change, 0.1)));
    }
}

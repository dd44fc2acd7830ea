package atomstudio.tuning.torch;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Ops.ConvGeometry;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import atomstudio.tuning.torch.Tape.Variable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Gradients of every operation, and of layers that recompute their weight, against PyTorch's autograd.
class DifferentiatedTest {
    private static Torch torch;
    private static EagerOps eager;

    @BeforeAll
    static void open() throws Exception {
        torch = Torch.open(Device.CPU, TorchSettings.standard());
        eager = torch.ops();
    }

    @AfterAll
    static void release() {
        torch.close();
    }

    /// The same function on any backend.
    private interface Operation extends BiFunction<Ops<Object>, List<Object>, Object> {}

    /// @param reference for autograd; of the same inputs
    private record Case(String name, List<Shape> inputs, Operation operation, Operation reference) {
        static Case of(String name, List<Shape> inputs, Operation operation) {
            return new Case(name, inputs, operation, operation);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static Stream<Case> arithmetic() {
        Shape image = Shape.of(2, 4, 6, 6), vector = Shape.of(4), tokens = Shape.of(2, 5, 8);
        return Stream.of(
                Case.of("add", List.of(image, Shape.of(4, 1, 1)), (ops, in) -> ops.add(in.get(0), in.get(1))),
                Case.of("multiply", List.of(image, Shape.of(2, 1, 6, 1)),
                        (ops, in) -> ops.multiply(in.get(0), in.get(1))),
                Case.of("multiply by itself", List.of(image), (ops, in) -> ops.multiply(in.get(0), in.get(0))),
                Case.of("scale", List.of(image), (ops, in) -> ops.scale(in.get(0), -0.3)),
                Case.of("matmul", List.of(Shape.of(2, 3, 5), Shape.of(2, 5, 4)),
                        (ops, in) -> ops.matmul(in.get(0), in.get(1))),
                Case.of("linear", List.of(tokens, Shape.of(6, 8), Shape.of(6)),
                        (ops, in) -> ops.linear(in.get(0), new LayerWeights<>(in.get(1), in.get(2)))),
                Case.of("conv2d", List.of(image, Shape.of(3, 4, 3, 3), Shape.of(3)),
                        (ops, in) -> ops.conv2d(in.get(0), new LayerWeights<>(in.get(1), in.get(2)),
                                ConvGeometry.strided(2, 1))),
                Case.of("conv2d, padded on two sides", List.of(image, Shape.of(3, 4, 3, 3)),
                        (ops, in) -> ops.conv2d(in.get(0), new LayerWeights<>(in.get(1), null),
                                new ConvGeometry(2, 0, 0, 1, 1))),
                Case.of("conv2d in groups", List.of(image, Shape.of(6, 2, 3, 3), Shape.of(6)),
                        (ops, in) -> ops.conv2d(in.get(0), new LayerWeights<>(in.get(1), in.get(2)),
                                ConvGeometry.strided(2, 1).withGroups(2))),
                Case.of("conv2d, depthwise", List.of(image, Shape.of(4, 1, 5, 5), vector),
                        (ops, in) -> ops.conv2d(in.get(0), new LayerWeights<>(in.get(1), in.get(2)),
                                ConvGeometry.same(5).withGroups(4))),
                Case.of("conv2d, depthwise, padded on two sides", List.of(image, Shape.of(4, 1, 3, 3)),
                        (ops, in) -> ops.conv2d(in.get(0), new LayerWeights<>(in.get(1), null),
                                new ConvGeometry(2, 0, 0, 1, 1, 4))),
                Case.of("batchNorm", List.of(image, vector, vector),
                        (ops, in) -> ops.batchNorm(in.get(0), new LayerWeights<>(in.get(1), in.get(2)),
                                new Ops.BatchStatistics<>(ops.constant(ReferenceOps.random(41, 4)), ops.constant(
                                        ReferenceOps.map(ReferenceOps.random(42, 4), v -> 0.5 + v * v))),
                                1e-5)),
                Case.of("maxPool", List.of(Shape.of(2, 4, 7, 6)),
                        (ops, in) -> ops.maxPool(in.get(0), new Ops.PoolWindow(3, 2, 1))),
                Case.of("globalAveragePool", List.of(image), (ops, in) -> ops.globalAveragePool(in.get(0))),
                Case.of("groupNorm", List.of(image, vector, vector),
                        (ops, in) -> ops.groupNorm(in.get(0), new LayerWeights<>(in.get(1), in.get(2)), 2, 1e-5)),
                Case.of("layerNorm", List.of(tokens, Shape.of(8), Shape.of(8)),
                        (ops, in) -> ops.layerNorm(in.get(0), new LayerWeights<>(in.get(1), in.get(2)), 1e-5)),
                Case.of("silu", List.of(image), (ops, in) -> ops.silu(in.get(0))),
                Case.of("gelu", List.of(image), (ops, in) -> ops.gelu(in.get(0))),
                Case.of("quickGelu", List.of(image), (ops, in) -> ops.quickGelu(in.get(0))),
                Case.of("relu", List.of(image), (ops, in) -> ops.relu(in.get(0))),
                Case.of("tanh", List.of(image), (ops, in) -> ops.tanh(in.get(0))));
    }

    private static Stream<Case> structure() {
        Shape image = Shape.of(2, 4, 6, 6), tokens = Shape.of(2, 5, 8);
        Ops.AttentionConfig causal = new Ops.AttentionConfig(2, Ops.AttentionConfig.Mask.CAUSAL);
        return Stream.of(
                Case.of("attention", List.of(tokens, Shape.of(2, 3, 8), Shape.of(2, 3, 8)),
                        (ops, in) -> ops.attention(in.get(0), in.get(1), in.get(2), Ops.AttentionConfig.of(2))),
                Case.of("causal attention", List.of(tokens, tokens, tokens),
                        (ops, in) -> ops.attention(in.get(0), in.get(1), in.get(2), causal)),
                Case.of("upsampleNearest", List.of(image), (ops, in) -> ops.upsampleNearest(in.get(0), 13, 7)),
                Case.of("concat", List.of(image, Shape.of(2, 3, 6, 6)),
                        (ops, in) -> ops.concat(in.get(0), in.get(1), 1)),
                Case.of("split", List.of(tokens), (ops, in) -> {
                    List<Object> halves = ops.split(in.get(0), 2, 2);
                    return ops.multiply(halves.get(0), ops.gelu(halves.get(1)));
                }),
                Case.of("half of a split", List.of(tokens), (ops, in) -> ops.split(in.get(0), 2, -1).getLast()),
                Case.of("reshape and permute", List.of(image),
                        (ops, in) -> ops.permute(ops.reshape(in.get(0), Shape.of(2, 4, 36)), 2, 0, 1)),
                Case.of("skewSymmetric", List.of(Shape.of(3, 6)), (ops, in) -> ops.skewSymmetric(in.get(0), 4)),
                Case.of("inverse", List.of(Shape.of(3, 6)),
                        (ops, in) -> ops.inverse(ops.add(ops.skewSymmetric(in.get(0), 4), ops.constant(identity(4))))),
                Case.of("reciprocalRowNorms", List.of(Shape.of(3, 6)),
                        (ops, in) -> ops.multiply(in.get(0), ops.reciprocalRowNorms(in.get(0)))),
                Case.of("segments", List.of(image), (ops, in) -> ops.checkpointed("block", List.of(in.get(0)), x -> {
                    Object h = ops.checkpointed("block.norm1", List.of(x.get(0)),
                            y -> ops.silu(ops.scale(y.get(0), 2)));
                    return ops.add(x.get(0), ops.multiply(h, ops.tanh(h)));
                })));
    }

    private static Tensor identity(int side) {
        Tensor identity = Tensor.zeros(Shape.of(1, side, side));
        for (int i = 0; i < side; i++) identity.data()[i * (side + 1)] = 1;
        return identity;
    }

    /// How a layer's weight is changed: by a kernel transform of this shape, or by added tensors.
    private static Case layer(String name, Shape x, Shape weight, @Nullable ConvGeometry geometry,
            @Nullable Shape transform) {
        Tensor base = ReferenceOps.random(21, weight.sizes()), bias = ReferenceOps.random(22, weight.size(0));
        List<Shape> inputs = transform == null ? List.of(x, weight, Shape.of(weight.size(0))) : List.of(x, transform);
        BiFunction<Ops<Object>, List<Object>, LayerWeights<Object>> changed = (ops, in) -> {
            Object w = Differentiated.class.isInstance(ops) ? frozen(base) : ops.constant(base);
            Object b = Differentiated.class.isInstance(ops) ? frozen(bias) : ops.constant(bias);
            return transform != null ? new LayerWeights<>(w, b, ops.scale(in.get(1), 0.1))
                    : new LayerWeights<>(w, b, null, () -> new LayerWeights<>(
                            ops.add(w, ops.multiply(in.get(1), ops.scale(in.get(1), 0.1))), ops.add(b, in.get(2))));
        };
        Operation operation = (ops, in) -> geometry == null ? ops.linear(in.get(0), changed.apply(ops, in))
                : ops.conv2d(in.get(0), changed.apply(ops, in), geometry);
        Operation reference = (ops, in) -> {
            LayerWeights<Object> layer = changed.apply(ops, in).materialized(ops);
            return geometry == null ? ops.linear(in.get(0), layer)
                    : EagerOps.convolve((NDArray) in.get(0),
                            new LayerWeights<>((NDArray) layer.weight(), (NDArray) layer.bias()), geometry);
        };
        return new Case(name, inputs, operation, reference);
    }

    private static Variable<NDArray> frozen(Tensor tensor) {
        return Variable.frozen(torch.array(tensor));
    }

    static Stream<Case> layers() {
        Shape blocks = Shape.of(16, 16), taps = Shape.of(9, 9), large = Shape.of(640, 640, 3, 3);
        ConvGeometry same = ConvGeometry.same(3), point = ConvGeometry.same(1);
        return Stream.of(layer("weight", Shape.of(2, 5, 8), Shape.of(12, 8), null, null),
                layer("weight of a convolution", Shape.of(2, 6, 8, 8), Shape.of(5, 6, 3, 3), same, null),
                layer("weight, stride 2", Shape.of(2, 6, 8, 8), Shape.of(5, 6, 3, 3), ConvGeometry.strided(2, 1), null),
                layer("weight, padded on two sides", Shape.of(1, 6, 8, 8), Shape.of(5, 6, 3, 3),
                        new ConvGeometry(2, 0, 0, 1, 1), null),
                layer("weight, Winograd", Shape.of(1, 256, 32, 32), Shape.of(256, 256, 3, 3), same, null),
                layer("filter atoms, effective weight", Shape.of(2, 6, 8, 8), Shape.of(5, 6, 3, 3), same, taps),
                layer("filter atoms, Winograd in chunks", Shape.of(1, 256, 32, 32), Shape.of(1024, 256, 3, 3), same,
                        taps),
                layer("filter atoms on activations", Shape.of(2, 640, 8, 8), large, ConvGeometry.strided(2, 1), taps),
                layer("filter atoms per channel", Shape.of(2, 640, 8, 8), large, same, Shape.of(640, 9, 9)),
                layer("weight, depthwise", Shape.of(2, 6, 8, 8), Shape.of(6, 1, 7, 7),
                        ConvGeometry.same(7).withGroups(6), null),
                layer("filter atoms, depthwise", Shape.of(2, 6, 8, 8), Shape.of(6, 1, 7, 7),
                        ConvGeometry.same(7).withGroups(6), Shape.of(49, 49)),
                layer("filter atoms per channel, depthwise", Shape.of(2, 6, 8, 8), Shape.of(6, 1, 7, 7),
                        ConvGeometry.same(7).withGroups(6), Shape.of(6, 49, 49)),
                layer("filter atoms per channel, in groups", Shape.of(2, 6, 8, 8), Shape.of(4, 3, 3, 3),
                        ConvGeometry.strided(2, 1).withGroups(2), Shape.of(6, 9, 9)),
                layer("channel atoms", Shape.of(2, 5, 8), Shape.of(12, 8), null, blocks),
                layer("channel atoms of a vector", Shape.of(3, 8), Shape.of(12, 8), null, blocks),
                layer("channel atoms, 1×1", Shape.of(2, 8, 6, 4), Shape.of(12, 8, 1, 1), point, blocks),
                layer("channel atoms, stride 2", Shape.of(2, 8, 6, 4), Shape.of(12, 8, 1, 1),
                        ConvGeometry.strided(2, 0), blocks),
                layer("channel atoms in chunks", Shape.of(1, 3, 1024), Shape.of(2 * 2048 + 4, 1024), null, blocks),
                layer("channel atoms in chunks, 1×1", Shape.of(2, 1024, 3, 2), Shape.of(2048 + 4, 1024, 1, 1), point,
                        blocks));
    }

    static Stream<Arguments> cases() {
        return Stream.of(arithmetic(), structure(), layers())
                .flatMap(each -> each)
                .flatMap(each -> Stream.of(Checkpointing.values()).map(mode -> Arguments.of(each, mode)));
    }

    @ParameterizedTest @MethodSource("cases")
    void gradientsEqualAutograd(Case testCase, Checkpointing checkpointing) {
        List<Tensor> own = own(testCase, checkpointing);
        for (int i = 0; i < testCase.inputs.size(); i++)
            assertClose("input " + i, autograd(testCase, i), own.get(i), 1e-4);
    }

    @Test
    void crossEntropyAndItsGradientAreThoseOfTheDefinition() {
        Tensor logits = ReferenceOps.random(51, 3, 4), target = new Tensor(Shape.of(3, 4),
                new float[] {1, 0, 0, 0, 0, 0, 0.5f, 0.5f, 0.1f, 0.2f, 0.3f, 0.4f});
        double expected = 0;
        Tensor gradient = Tensor.zeros(logits.shape());
        for (int row = 0; row < 3; row++) {
            double sum = 0;
            for (int i = 0; i < 4; i++) sum += Math.exp(logits.data()[row * 4 + i]);
            for (int i = row * 4; i < row * 4 + 4; i++) {
                double p = Math.exp(logits.data()[i]) / sum;
                expected -= target.data()[i] * Math.log(p) / 3;
                gradient.data()[i] = (float) (2 * (p - target.data()[i]) / 3); // of twice the loss
            }
        }
        try (TorchScope scope = torch.scope(GradMode.OFF);
                EagerGradientOps backend = torch.gradientOps(ComputeDtype.FP32)) {
            Tape<NDArray> tape = new Tape<>(backend);
            Differentiated<NDArray> ops = new Differentiated<>(backend, tape, Checkpointing.NONE);
            Variable<NDArray> x = Variable.trainable(torch.array(logits));
            Variable<NDArray> loss = ops.scale(ops.crossEntropy(x, target), 2);
            assertEquals(2 * expected, torch.tensor(loss.array()).data()[0], 1e-6);
            tape.backward(loss, torch.array(Tensor.filled(Shape.of(), 1)));
            assertClose("logits", gradient, new Tensor(logits.shape(), torch.gradients(List.of(x))), 1e-6);
        }
    }

    @Test
    void attentionGradientsOfAGpuEqualThoseOfTheCpu() {
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            EagerGradientOps ops = torch.gradientOps(ComputeDtype.FP32);
            List<NDArray> qkv = Stream.of(1, 2, 3).map(i -> torch.array(ReferenceOps.random(i, 2, 5, 8))).toList();
            NDArray g = torch.array(ReferenceOps.random(4, 2, 5, 8));
            Ops.AttentionConfig config = new Ops.AttentionConfig(2, Ops.AttentionConfig.Mask.CAUSAL);
            GradientOps.Forward<NDArray> forward = ops.attend(qkv.get(0), qkv.get(1), qkv.get(2), config);
            List<NDArray> cpu = ops.attentionGradients(g, qkv, forward.statistics(), config),
                    recorded = ops.attentionGradients(g, qkv, List.of(), config);
            for (int i = 0; i < 3; i++)
                assertArrayEquals(torch.tensor(cpu.get(i)).data(), torch.tensor(recorded.get(i)).data());
        }
    }

    @Test
    void aStepLeavesNothingAllocated() {
        MemoryAccount account = new MemoryAccount();
        MemoryOps memory = new MemoryOps(account, ComputeDtype.FP32);
        Tape<MemoryAccount.Use> tape = new Tape<>(memory);
        Differentiated<MemoryAccount.Use> ops = new Differentiated<>(memory, tape, Checkpointing.SELECTIVE);
        Variable<MemoryAccount.Use> x = Variable.trainable(MemoryAccount.Use.persistent(Shape.of(10)));
        memory.scoped(() -> {
            Variable<MemoryAccount.Use> y = ops.checkpointed("norm1", List.of(x), in -> ops.silu(ops.silu(in.get(0))));
            tape.backward(ops.multiply(y, y), memory.scale(y.array(), 1));
            return List.of();
        });
        assertEquals(Float.BYTES * 10L, account.live()); // x's gradient
    }

    private static Tensor input(Case testCase, int i) {
        return ReferenceOps.random(1 + i, testCase.inputs.get(i).sizes());
    }

    private static Tensor outputGradient(Shape shape) {
        return ReferenceOps.random(31, shape.sizes());
    }

    @SuppressWarnings("unchecked")
    private static List<Tensor> own(Case testCase, Checkpointing checkpointing) {
        try (TorchScope scope = torch.scope(GradMode.OFF);
                EagerGradientOps backend = torch.gradientOps(ComputeDtype.FP32)) {
            Tape<NDArray> tape = new Tape<>(backend);
            Differentiated<NDArray> ops = new Differentiated<>(backend, tape, checkpointing);
            List<Variable<NDArray>> inputs = new ArrayList<>();
            for (int i = 0; i < testCase.inputs.size(); i++)
                inputs.add(Variable.trainable(torch.array(input(testCase, i))));
            Variable<NDArray> y = (Variable<NDArray>) testCase.operation.apply((Ops<Object>) (Ops<?>) ops,
                    List.copyOf(inputs));
            tape.backward(y, torch.array(outputGradient(ops.shape(y))));
            float[] all = torch.gradients(inputs);
            List<Tensor> gradients = new ArrayList<>();
            int offset = 0;
            for (Shape shape : testCase.inputs) {
                int end = offset + (int) shape.elements();
                gradients.add(new Tensor(shape, java.util.Arrays.copyOfRange(all, offset, end)));
                offset = end;
            }
            return gradients;
        }
    }

    @SuppressWarnings("unchecked")
    private static Tensor autograd(Case testCase, int by) {
        try (TorchScope scope = torch.scope(GradMode.ON)) {
            List<Object> inputs = new ArrayList<>();
            for (int i = 0; i < testCase.inputs.size(); i++)
                inputs.add(i == by ? torch.leaf(input(testCase, i)) : torch.array(input(testCase, i)));
            NDArray y = (NDArray) testCase.reference.apply((Ops<Object>) (Ops<?>) eager, inputs);
            Shape shape = eager.shape(y), row = Shape.of(1, shape.elements()), column = Shape.of(shape.elements(), 1);
            NDArray weights = eager.reshape(torch.array(outputGradient(shape)), column);
            return torch.gradient(eager.matmul(eager.reshape(y, row), weights), (NDArray) inputs.get(by));
        }
    }
}

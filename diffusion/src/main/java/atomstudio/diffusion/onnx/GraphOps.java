package atomstudio.diffusion.onnx;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.onnx.Graph.Operator;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.ops.Winograd;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Writes a network as an ONNX graph, with the kernels that ONNX Runtime has for its layers. Shapes are checked by
/// the dry run.
final class GraphOps implements Ops<Graph.Value> {
    /// Stands for the length of a row of zeros, so that zero over zero is zero.
    private static final float MIN_NORM = 1e-12f;

    /// What activations may take.
    enum MemoryMode {
        DEFAULT,
        /// Feed-forward blocks hold the activations of a quarter of the tokens at a time. And the runtime is not told
        /// the batch: of values of the same shape it would make chains, at load, in which one takes over the other's
        /// memory, and free a chain only after its last.
        LOW,
        /// And attention those of an eighth of the queries.
        LOWEST
    }

    /// Sides up to which a sweep, whose nodes grow with the side, is the smaller graph.
    private static final int MAX_GAUSS_JORDAN_SIDE = 16;
    private static final int ATTENTION_SLICES = 8;
    private static final int FEED_FORWARD_CHUNKS = 4;
    /// Tokens from which parts are still large enough for a matrix product.
    private static final long MIN_CHUNKED_TOKENS = 1024;

    /// How attention is computed where nothing is masked.
    enum AttentionKernel {
        /// ONNX Runtime's own operator.
        FUSED,
        /// Two matrix products with a softmax between them.
        MATMUL,
        /// ONNX Runtime's own operator, for an eighth of the queries at a time.
        SLICED
    }

    /// How large convolutions of 3×3 kernels are computed.
    enum ConvolutionAlgorithm {
        /// By ONNX Runtime's own operator.
        DIRECT,
        /// By a quarter of the multiplications, from kernels that are made ready in every run.
        WINOGRAD
    }

    /// How a network's layers become operators.
    /// @param elementType FLOAT or FLOAT16: of everything that goes in and comes out
    record GraphOptions(MemoryMode memory, ElementType elementType, AttentionKernel attention, ConvolutionAlgorithm convolution) {
        static final GraphOptions DEFAULT = new GraphOptions(MemoryMode.DEFAULT, ElementType.FLOAT, AttentionKernel.FUSED, ConvolutionAlgorithm.DIRECT);

        /// For a network whose weights are used so: on a graphics processor its own library chooses how to convolve.
        static GraphOptions of(Device device, OnnxSession.WeightMode use) {
            if (use != OnnxSession.WeightMode.MAPPED) return DEFAULT;
            return new GraphOptions(MemoryMode.LOW, ElementType.FLOAT, AttentionKernel.FUSED, device == Device.CPU ? ConvolutionAlgorithm.WINOGRAD : ConvolutionAlgorithm.DIRECT);
        }

        GraphOptions withLowestMemory() {
            return new GraphOptions(MemoryMode.LOWEST, elementType, attention, convolution);
        }

        /// In float16, and attention so; there is no Winograd in float16, whose numbers are too coarse for it.
        GraphOptions withElement(ElementType type, AttentionKernel kernel) {
            return new GraphOptions(memory, type, kernel, type == ElementType.FLOAT ? convolution : ConvolutionAlgorithm.DIRECT);
        }
    }

    private final Graph graph;
    private final GraphOptions options;
    private final ShapeOps shapes = new ShapeOps();

    GraphOps(Graph graph) {
        this(graph, GraphOptions.DEFAULT);
    }

    GraphOps(Graph graph, GraphOptions options) {
        this.graph = graph;
        this.options = options;
    }

    /// An input of the network, in float32.
    Graph.Value input(String name, Shape shape) {
        return options.memory == MemoryMode.DEFAULT ? graph.input(name, shape, ElementType.FLOAT) : graph.inputWithDynamicBatch(name, shape, ElementType.FLOAT);
    }

    private Graph.Value constantOf(Shape shape, float... values) {
        return graph.constant(shape, values, options.elementType);
    }

    @Override public Shape shape(Graph.Value x) {
        return x.shape();
    }

    @Override public Graph.Value add(Graph.Value a, Graph.Value b) {
        return graph.node(Operator.of("Add"), shapes.add(a.shape(), b.shape()), a, b);
    }

    @Override public Graph.Value multiply(Graph.Value a, Graph.Value b) {
        return graph.node(Operator.of("Mul"), shapes.multiply(a.shape(), b.shape()), a, b);
    }

    @Override public Graph.Value scale(Graph.Value x, double factor) {
        return graph.node(Operator.of("Mul"), x.shape(), x, constantOf(Shape.of(), (float) factor));
    }

    @Override public Graph.Value matmul(Graph.Value a, Graph.Value b) {
        return graph.node(Operator.of("MatMul"), shapes.matmul(a.shape(), b.shape()), a, b);
    }

    @Override public Graph.Value conv2d(Graph.Value x, LayerWeights<Graph.Value> weights, ConvGeometry geometry) {
        LayerWeights<Graph.Value> layer = weights.materialized(this);
        Shape weight = layer.weight().shape();
        Shape out = shapes.conv2d(x.shape(), shapes(layer), geometry);
        if (options.convolution == ConvolutionAlgorithm.WINOGRAD && Winograd.isFaster(x.shape(), weight, geometry)) return new WinogradNodes(graph, this).convolve(x, layer);
        return graph.node(Operator.of("Conv", Map.of("strides", new long[] {geometry.stride(), geometry.stride()},
                "pads", new long[] {geometry.padTop(), geometry.padLeft(), geometry.padBottom(), geometry.padRight()},
                "kernel_shape", new long[] {weight.size(2), weight.size(3)})), out, x, layer.weight(), layer.bias());
    }

    /// Gemm over all rows: it takes the weight as the checkpoint has it, so nothing is transposed or copied at load.
    @Override public Graph.Value linear(Graph.Value x, LayerWeights<Graph.Value> weights) {
        LayerWeights<Graph.Value> layer = weights.materialized(this);
        Shape out = shapes.linear(x.shape(), shapes(layer));
        long in = x.shape().size(-1);
        Graph.Value rows = x.shape().rank() == 2 ? x : reshape(x, Shape.of(x.shape().elements() / in, in));
        Graph.Value y = graph.node(Operator.of("Gemm", Map.of("transB", 1L)), Shape.of(rows.shape().size(0), out.size(-1)), rows, layer.weight(), layer.bias());
        return x.shape().rank() == 2 ? y : reshape(y, out);
    }

    /// InstanceNormalization over the groups: ONNX Runtime's own group norms have no CPU kernel or fall into many
    /// small nodes.
    @Override public Graph.Value groupNorm(Graph.Value x, LayerWeights<Graph.Value> layer, int groups, double epsilon) {
        Shape shape = shapes.groupNorm(x.shape(), shapes(layer), groups, epsilon);
        long[] perChannel = new long[shape.rank()];
        Arrays.fill(perChannel, 1);
        perChannel[1] = shape.size(1);
        float[] ones = new float[groups];
        Arrays.fill(ones, 1);
        Graph.Value grouped = reshape(x, Shape.of(shape.size(0), groups, shape.elements() / shape.size(0) / groups));
        Graph.Value normalized = graph.node(Operator.of("InstanceNormalization", Map.of("epsilon", (float) epsilon)), grouped.shape(), grouped,
                constantOf(Shape.of(groups), ones), constantOf(Shape.of(groups), new float[groups]));
        Graph.Value scaled = multiply(reshape(normalized, shape), reshape(layer.weight(), new Shape(perChannel)));
        return add(scaled, reshape(bias(layer), new Shape(perChannel)));
    }

    @Override public Graph.Value layerNorm(Graph.Value x, LayerWeights<Graph.Value> layer, double epsilon) {
        Shape shape = shapes.layerNorm(x.shape(), shapes(layer), epsilon);
        return graph.node(Operator.of("LayerNormalization", Map.of("axis", -1L, "epsilon", (float) epsilon)), shape, x, layer.weight(), bias(layer));
    }

    @Override public Graph.Value silu(Graph.Value x) {
        return quickGelu(x, 1);
    }

    @Override public Graph.Value gelu(Graph.Value x) {
        return graph.node(Operator.microsoft("Gelu", Map.of()), x.shape(), x);
    }

    @Override public Graph.Value quickGelu(Graph.Value x) {
        return quickGelu(x, 1.702f);
    }

    @Override public Graph.Value relu(Graph.Value x) {
        return graph.node(Operator.of("Relu"), x.shape(), x);
    }

    @Override public Graph.Value tanh(Graph.Value x) {
        return graph.node(Operator.of("Tanh"), x.shape(), x);
    }

    /// x · sigmoid(alpha x).
    private Graph.Value quickGelu(Graph.Value x, float alpha) {
        return graph.node(Operator.microsoft("QuickGelu", Map.of("alpha", alpha)), x.shape(), x);
    }

    @Override public Graph.Value attention(Graph.Value q, Graph.Value k, Graph.Value v, AttentionConfig config) {
        Shape out = shapes.attention(q.shape(), k.shape(), v.shape(), config);
        return switch (config.mask()) {
            case NONE -> options.memory == MemoryMode.LOWEST || options.attention == AttentionKernel.SLICED ? slicedAttention(q, k, v, config) : unsliced(out, q, new Graph.Value[] {k, v}, config);
            case CAUSAL -> causalAttention(q, k, v, config.heads());
        };
    }

    private Graph.Value unsliced(Shape out, Graph.Value q, Graph.Value[] kv, AttentionConfig config) {
        if (options.attention == AttentionKernel.MATMUL) return matmulAttention(q, kv, config.heads(), scores -> scores);
        return graph.node(Operator.microsoft("MultiHeadAttention", Map.of("num_heads", (long) config.heads())), out, q, kv[0], kv[1]);
    }

    private Graph.Value slicedAttention(Graph.Value q, Graph.Value k, Graph.Value v, AttentionConfig config) {
        Graph.Value result = null;
        for (Graph.Value slice : graph.splitSecondAxis(q, ATTENTION_SLICES)) {
            Graph.Value sliceOutput = unsliced(shapes.attention(slice.shape(), k.shape(), v.shape(), config), slice, new Graph.Value[] {k, v}, config);
            result = result == null ? sliceOutput : concat(result, sliceOutput, 1);
        }
        return result;
    }

    private Graph.Value causalAttention(Graph.Value q, Graph.Value k, Graph.Value v, int heads) {
        long tokens = q.shape().size(1);
        return matmulAttention(q, new Graph.Value[] {k, v}, heads, scores -> add(scores, constantOf(Shape.of(1, 1, tokens, tokens), causalMask((int) tokens))));
    }

    private Graph.Value matmulAttention(Graph.Value q, Graph.Value[] kv, int heads, UnaryOperator<Graph.Value> applyMask) {
        Graph.Value scores = matmul(permute(splitHeads(scale(q, 1 / Math.sqrt(q.shape().size(2) / heads)), heads), 0, 2, 1, 3), permute(splitHeads(kv[0], heads), 0, 2, 3, 1));
        Graph.Value masked = applyMask.apply(scores);
        Graph.Value probabilities = graph.node(Operator.of("Softmax", Map.of("axis", -1L)), masked.shape(), masked);
        return reshape(permute(matmul(probabilities, permute(splitHeads(kv[1], heads), 0, 2, 1, 3)), 0, 2, 1, 3), q.shape());
    }

    private Graph.Value splitHeads(Graph.Value x, int heads) {
        return reshape(x, Shape.of(x.shape().size(0), x.shape().size(1), heads, x.shape().size(2) / heads));
    }

    /// Added to the scores: the lowest float where a token would see a later one.
    private static float[] causalMask(int tokens) {
        float[] mask = new float[tokens * tokens];
        for (int row = 0; row < tokens; row++) Arrays.fill(mask, row * tokens + row + 1, (row + 1) * tokens, -Float.MAX_VALUE);
        return mask;
    }

    @Override public Graph.Value embedding(Graph.Value table, Graph.Value ids) {
        return graph.node(Operator.of("Gather", Map.of("axis", 0L)), shapes.embedding(table.shape(), ids.shape()), table, ids);
    }

    @Override public Graph.Value upsampleNearest(Graph.Value x, long height, long width) {
        Shape out = shapes.upsampleNearest(x.shape(), height, width);
        Operator resize = Operator.of("Resize", Map.of("mode", "nearest", "nearest_mode", "floor", "coordinate_transformation_mode", "asymmetric"));
        return graph.node(resize, out, x, null, null, graph.constant(out.sizes()));
    }

    @Override public Graph.Value concat(Graph.Value a, Graph.Value b, int axis) {
        return graph.node(Operator.of("Concat", Map.of("axis", (long) axis)), shapes.concat(a.shape(), b.shape(), axis), a, b);
    }

    @Override public List<Graph.Value> split(Graph.Value x, int parts, int axis) {
        return graph.node(Operator.of("Split", Map.of("axis", (long) axis)), shapes.split(x.shape(), parts, axis), x);
    }

    @Override public Graph.Value reshape(Graph.Value x, Shape to) {
        long[] sizes = to.sizes().clone();
        if (options.memory != MemoryMode.DEFAULT && sizes.length > 0) sizes[0] = -1;
        return graph.node(Operator.of("Reshape"), shapes.reshape(x.shape(), to), x, graph.constant(sizes));
    }

    @Override public Graph.Value permute(Graph.Value x, int... axes) {
        long[] order = Arrays.stream(axes).asLongStream().toArray();
        return graph.node(Operator.of("Transpose", Map.of("perm", order)), shapes.permute(x.shape(), axes), x);
    }

    @Override public Graph.Value constant(Tensor values) {
        return constantOf(values.shape(), values.data());
    }

    /// Feed-forward blocks see each token by itself: many tokens go through in parts, so that only a part's eight
    /// times wider activations are held at a time.
    @Override public Graph.Value checkpointed(String name, List<Graph.Value> inputs, Function<List<Graph.Value>, Graph.Value> body) {
        Graph.Value x = inputs.getFirst();
        if (options.memory == MemoryMode.DEFAULT || !name.endsWith(".ff") || x.shape().size(1) < MIN_CHUNKED_TOKENS) return body.apply(inputs);
        Graph.Value result = null;
        for (Graph.Value chunk : graph.splitSecondAxis(x, FEED_FORWARD_CHUNKS)) {
            Graph.Value chunkOutput = body.apply(List.of(chunk));
            result = result == null ? chunkOutput : concat(result, chunkOutput, 1);
        }
        return result;
    }

    @Override public Graph.Value skewSymmetric(Graph.Value upperTriangle, int side) {
        return new SkewSymmetric(graph, side).build(upperTriangle, shapes.skewSymmetric(upperTriangle.shape(), side));
    }

    @Override public Graph.Value inverse(Graph.Value x) {
        Shape shape = shapes.inverse(x.shape());
        return shape.size(1) <= MAX_GAUSS_JORDAN_SIDE ? new GaussJordanInverse(graph, shape).inverse(x) : new NewtonSchulzInverse(graph, shape).inverse(x);
    }

    @Override public Graph.Value reciprocalRowNorms(Graph.Value x) {
        Shape out = shapes.reciprocalRowNorms(x.shape());
        Graph.Value norms = graph.node(Operator.of("ReduceL2", Map.of("axes", new long[] {1}, "keepdims", 1L)), out, x);
        return graph.node(Operator.of("Reciprocal"), out, graph.node(Operator.of("Max"), out, norms, constantOf(Shape.of(), MIN_NORM)));
    }

    private static LayerWeights<Shape> shapes(LayerWeights<Graph.Value> layer) {
        return new LayerWeights<>(layer.weight().shape(), layer.bias() == null ? null : layer.bias().shape());
    }

    private static Graph.Value bias(LayerWeights<Graph.Value> layer) {
        Graph.@Nullable Value found = layer.bias();
        if (found == null) throw new IllegalArgumentException("a norm needs a bias");
        return found;
    }
}

package atomstudio.diffusion.onnx;

import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.onnx.Graph.Operator;
import atomstudio.diffusion.onnx.GraphOptions.ConvolutionAlgorithm;
import atomstudio.diffusion.onnx.GraphOptions.MemoryMode;
import atomstudio.diffusion.onnx.GraphOptions.OperatorSet;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.ops.Winograd;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The ONNX backend: writes a network as a graph of operators that ONNX Runtime has kernels for. [ShapeOps] checks the
/// shapes.
final class GraphOps implements Ops<Graph.Value> {
    /// Lower bound of a row norm before division, so that zero rows stay finite.
    private static final float MIN_NORM = 1e-12f;
    private static final int FEED_FORWARD_CHUNKS = 4;
    /// Tokens from which chunks are large enough for efficient matrix products.
    private static final long MIN_CHUNKED_TOKENS = 1024;

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

    Graph graph() {
        return graph;
    }

    /// A float32 input of the network.
    Graph.Value input(String name, Shape shape) {
        return options.memory() == MemoryMode.DEFAULT ? graph.input(name, shape, ElementType.FLOAT)
                : graph.inputWithDynamicBatch(name, shape, ElementType.FLOAT);
    }

    Graph.Value constant(Shape shape, float... values) {
        return graph.constant(shape, values, options.elementType());
    }

    @Override
    public Shape shape(Graph.Value x) {
        return x.shape();
    }

    @Override
    public Graph.Value add(Graph.Value a, Graph.Value b) {
        return graph.node(Operator.of("Add"), shapes.add(a.shape(), b.shape()), a, b);
    }

    @Override
    public Graph.Value multiply(Graph.Value a, Graph.Value b) {
        return graph.node(Operator.of("Mul"), shapes.multiply(a.shape(), b.shape()), a, b);
    }

    @Override
    public Graph.Value scale(Graph.Value x, double factor) {
        return graph.node(Operator.of("Mul"), x.shape(), x, constant(Shape.of(), (float) factor));
    }

    @Override
    public Graph.Value matmul(Graph.Value a, Graph.Value b) {
        return graph.node(Operator.of("MatMul"), shapes.matmul(a.shape(), b.shape()), a, b);
    }

    @Override
    public Graph.Value conv2d(Graph.Value x, LayerWeights<Graph.Value> weights, ConvGeometry geometry) {
        LayerWeights<Graph.Value> layer = weights.materialized(this);
        Shape weight = layer.weight().shape();
        Shape out = shapes.conv2d(x.shape(), shapes(layer), geometry);
        if (options.convolution() == ConvolutionAlgorithm.WINOGRAD && Winograd.isFaster(x.shape(), weight, geometry))
            return new WinogradNodes(this).convolve(x, layer);
        Map<String, Object> attributes = new TreeMap<>(Map.of(
                "strides", new long[] {geometry.stride(), geometry.stride()},
                "pads", new long[] {geometry.padTop(), geometry.padLeft(), geometry.padBottom(), geometry.padRight()},
                "kernel_shape", new long[] {weight.size(2), weight.size(3)}));
        if (geometry.groups() != 1) attributes.put("group", (long) geometry.groups());
        return graph.node(Operator.of("Conv", attributes), out, x, layer.weight(), layer.bias());
    }

    /// Gemm over all rows, which takes the weight (Co, Ci) as stored: it is not transposed or copied at load.
    @Override
    public Graph.Value linear(Graph.Value x, LayerWeights<Graph.Value> weights) {
        LayerWeights<Graph.Value> layer = weights.materialized(this);
        Shape out = shapes.linear(x.shape(), shapes(layer));
        boolean isMatrix = x.shape().rank() == 2;
        long in = x.shape().size(-1);
        Graph.Value rows = isMatrix ? x : reshape(x, Shape.of(x.shape().elements() / in, in));
        Shape rowsOut = Shape.of(rows.shape().size(0), out.size(-1));
        Operator gemm = Operator.of("Gemm", Map.of("transB", 1L));
        Graph.Value y = graph.node(gemm, rowsOut, rows, layer.weight(), layer.bias());
        return isMatrix ? y : reshape(y, out);
    }

    /// InstanceNormalization over the groups: ONNX Runtime's own group norms have no CPU kernel or expand into many
    /// small nodes.
    @Override
    public Graph.Value groupNorm(Graph.Value x, LayerWeights<Graph.Value> layer, int groups, double epsilon) {
        Shape shape = shapes.groupNorm(x.shape(), shapes(layer), groups, epsilon);
        long[] perChannel = new long[shape.rank()];
        Arrays.fill(perChannel, 1);
        perChannel[1] = shape.size(1);
        float[] ones = new float[groups];
        Arrays.fill(ones, 1);
        Operator instanceNorm = Operator.of("InstanceNormalization", Map.of("epsilon", (float) epsilon));
        Graph.Value grouped = reshape(x, Shape.of(shape.size(0), groups, shape.elements() / shape.size(0) / groups));
        Graph.Value normalized = graph.node(instanceNorm, grouped.shape(), grouped,
                constant(Shape.of(groups), ones), constant(Shape.of(groups), new float[groups]));
        Graph.Value scaled = multiply(reshape(normalized, shape), reshape(layer.weight(), new Shape(perChannel)));
        return add(scaled, reshape(bias(layer), new Shape(perChannel)));
    }

    @Override
    public Graph.Value layerNorm(Graph.Value x, LayerWeights<Graph.Value> layer, double epsilon) {
        Shape shape = shapes.layerNorm(x.shape(), shapes(layer), epsilon);
        Operator layerNorm = Operator.of("LayerNormalization", Map.of("axis", -1L, "epsilon", (float) epsilon));
        return graph.node(layerNorm, shape, x, layer.weight(), bias(layer));
    }

    @Override
    public Graph.Value batchNorm(Graph.Value x, LayerWeights<Graph.Value> layer,
            BatchStatistics<Graph.Value> statistics, double epsilon) {
        Shape shape = shapes.batchNorm(x.shape(), shapes(layer),
                new BatchStatistics<>(statistics.mean().shape(), statistics.variance().shape()), epsilon);
        Operator batchNorm = Operator.of("BatchNormalization", Map.of("epsilon", (float) epsilon));
        return graph.node(batchNorm, shape, x, layer.weight(), bias(layer), statistics.mean(), statistics.variance());
    }

    @Override
    public Graph.Value maxPool(Graph.Value x, PoolWindow window) {
        long p = window.padding();
        Operator maxPool = Operator.of("MaxPool", Map.of("kernel_shape", new long[] {window.size(), window.size()},
                "strides", new long[] {window.stride(), window.stride()}, "pads", new long[] {p, p, p, p}));
        return graph.node(maxPool, shapes.maxPool(x.shape(), window), x);
    }

    @Override
    public Graph.Value globalAveragePool(Graph.Value x) {
        Shape out = shapes.globalAveragePool(x.shape());
        Shape pixel = Shape.of(out.size(0), out.size(1), 1, 1);
        return reshape(graph.node(Operator.of("GlobalAveragePool"), pixel, x), out);
    }

    @Override
    public Graph.Value silu(Graph.Value x) {
        return quickGelu(x, 1);
    }

    @Override
    public Graph.Value gelu(Graph.Value x) {
        if (options.operators() == OperatorSet.RUNTIME)
            return graph.node(Operator.microsoft("Gelu", Map.of()), x.shape(), x);
        Graph.Value erf = graph.node(Operator.of("Erf"), x.shape(), scale(x, Math.sqrt(0.5)));
        return multiply(scale(x, 0.5), add(erf, constant(Shape.of(), 1)));
    }

    @Override
    public Graph.Value quickGelu(Graph.Value x) {
        return quickGelu(x, 1.702f);
    }

    /// x · sigmoid(alpha x).
    private Graph.Value quickGelu(Graph.Value x, float alpha) {
        if (options.operators() == OperatorSet.RUNTIME)
            return graph.node(Operator.microsoft("QuickGelu", Map.of("alpha", alpha)), x.shape(), x);
        return multiply(x, graph.node(Operator.of("Sigmoid"), x.shape(), alpha == 1 ? x : scale(x, alpha)));
    }

    @Override
    public Graph.Value relu(Graph.Value x) {
        return graph.node(Operator.of("Relu"), x.shape(), x);
    }

    @Override
    public Graph.Value tanh(Graph.Value x) {
        return graph.node(Operator.of("Tanh"), x.shape(), x);
    }

    @Override
    public Graph.Value attention(Graph.Value q, Graph.Value k, Graph.Value v, AttentionConfig config) {
        shapes.attention(q.shape(), k.shape(), v.shape(), config);
        return new AttentionNodes(this, options).attention(q, k, v, config);
    }

    @Override
    public Graph.Value embedding(Graph.Value table, Graph.Value ids) {
        Shape out = shapes.embedding(table.shape(), ids.shape());
        return graph.node(Operator.of("Gather", Map.of("axis", 0L)), out, table, ids);
    }

    @Override
    public Graph.Value upsampleNearest(Graph.Value x, long height, long width) {
        Shape out = shapes.upsampleNearest(x.shape(), height, width);
        Operator resize = Operator.of("Resize", Map.of(
                "mode", "nearest", "nearest_mode", "floor", "coordinate_transformation_mode", "asymmetric"));
        boolean isMultiple = height % x.shape().size(2) == 0 && width % x.shape().size(3) == 0;
        if (options.memory() != MemoryMode.DEFAULT && isMultiple) {
            // Sizes would fix the batch.
            float[] scales = {1, 1, (float) height / x.shape().size(2), (float) width / x.shape().size(3)};
            return graph.node(resize, out, x, null, graph.constant(Shape.of(4), scales));
        }
        return graph.node(resize, out, x, null, null, graph.constant(out.sizes()));
    }

    @Override
    public Graph.Value concat(Graph.Value a, Graph.Value b, int axis) {
        Shape out = shapes.concat(a.shape(), b.shape(), axis);
        return graph.node(Operator.of("Concat", Map.of("axis", (long) axis)), out, a, b);
    }

    @Override
    public List<Graph.Value> split(Graph.Value x, int parts, int axis) {
        List<Shape> outs = shapes.split(x.shape(), parts, axis);
        return graph.node(Operator.of("Split", Map.of("axis", (long) axis)), outs, x);
    }

    @Override
    public Graph.Value reshape(Graph.Value x, Shape to) {
        long[] sizes = to.sizes().clone();
        if (options.memory() != MemoryMode.DEFAULT && sizes.length > 0) sizes[0] = -1;
        return graph.node(Operator.of("Reshape"), shapes.reshape(x.shape(), to), x, graph.constant(sizes));
    }

    @Override
    public Graph.Value permute(Graph.Value x, int... axes) {
        long[] order = Arrays.stream(axes).asLongStream().toArray();
        return graph.node(Operator.of("Transpose", Map.of("perm", order)), shapes.permute(x.shape(), axes), x);
    }

    @Override
    public Graph.Value constant(Tensor values) {
        return constant(values.shape(), values.data());
    }

    /// Splits feed-forward blocks, which are per token, into chunks of tokens, so that the eight times wider
    /// activations exist for one chunk at a time.
    @Override
    public Graph.Value checkpointed(String name, List<Graph.Value> inputs,
            Function<List<Graph.Value>, Graph.Value> body) {
        Graph.Value x = inputs.getFirst();
        if (options.memory() == MemoryMode.DEFAULT || !name.endsWith(".ff") || x.shape().size(1) < MIN_CHUNKED_TOKENS)
            return body.apply(inputs);
        Graph.Value result = null;
        for (Graph.Value chunk : graph.splitSecondAxis(x, FEED_FORWARD_CHUNKS)) {
            Graph.Value output = body.apply(List.of(chunk));
            result = result == null ? output : concat(result, output, 1);
        }
        return result;
    }

    @Override
    public Graph.Value skewSymmetric(Graph.Value upperTriangle, int side) {
        shapes.skewSymmetric(upperTriangle.shape(), side);
        return new MatrixNodes(graph).skewSymmetric(upperTriangle, side);
    }

    @Override
    public Graph.Value inverse(Graph.Value x) {
        shapes.inverse(x.shape());
        return new MatrixNodes(graph).inverse(x);
    }

    @Override
    public Graph.Value reciprocalRowNorms(Graph.Value x) {
        Shape out = shapes.reciprocalRowNorms(x.shape());
        Operator norm = Operator.of("ReduceL2", Map.of("axes", new long[] {1}, "keepdims", 1L));
        Graph.Value norms = graph.node(norm, out, x);
        Graph.Value bounded = graph.node(Operator.of("Max"), out, norms, constant(Shape.of(), MIN_NORM));
        return graph.node(Operator.of("Reciprocal"), out, bounded);
    }

    private static LayerWeights<Shape> shapes(LayerWeights<Graph.Value> layer) {
        return new LayerWeights<>(layer.weight().shape(), layer.bias() == null ? null : layer.bias().shape());
    }

    private static Graph.Value bias(LayerWeights<Graph.Value> layer) {
        Graph.@Nullable Value bias = layer.bias();
        if (bias == null) throw new IllegalArgumentException("a norm needs a bias");
        return bias;
    }
}

package atomstudio.diffusion.onnx;

import atomstudio.diffusion.onnx.Graph.Operator;
import atomstudio.diffusion.onnx.GraphOptions.AttentionKernel;
import atomstudio.diffusion.onnx.GraphOptions.MemoryMode;
import atomstudio.diffusion.onnx.GraphOptions.OperatorSet;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Multi-head attention as ONNX nodes: q (B, S, C), k and v (B, S', C) -> (B, S, C).
record AttentionNodes(GraphOps ops, GraphOptions options) {
    private static final int SLICES = 8;

    Graph.Value attention(Graph.Value q, Graph.Value k, Graph.Value v, Ops.AttentionConfig config) {
        boolean sliced = options.memory() == MemoryMode.LOWEST || options.attention() == AttentionKernel.SLICED;
        return switch (config.mask()) {
            case NONE -> sliced ? slicedAttention(q, k, v, config.heads()) : fullAttention(q, k, v, config.heads());
            case CAUSAL -> matmulAttention(q, k, v, config.heads(), causalMask(q.shape().size(1)));
        };
    }

    private Graph.Value slicedAttention(Graph.Value q, Graph.Value k, Graph.Value v, int heads) {
        Graph.Value result = null;
        for (Graph.Value slice : ops.graph().splitSecondAxis(q, SLICES)) {
            Graph.Value output = fullAttention(slice, k, v, heads);
            result = result == null ? output : ops.concat(result, output, 1);
        }
        return result;
    }

    private Graph.Value fullAttention(Graph.Value q, Graph.Value k, Graph.Value v, int heads) {
        if (options.attention() == AttentionKernel.MATMUL) return matmulAttention(q, k, v, heads, null);
        Operator attention = Operator.microsoft("MultiHeadAttention", Map.of("num_heads", (long) heads));
        return ops.graph().node(attention, q.shape(), q, k, v);
    }

    /// @param mask added to the scores (B, heads, S, S')
    private Graph.Value matmulAttention(Graph.Value q, Graph.Value k, Graph.Value v, int heads,
            Graph.@Nullable Value mask) {
        double scale = 1 / Math.sqrt(q.shape().size(2) / heads);
        boolean scalesScores = options.operators() == OperatorSet.STANDARD; // the form that providers fuse
        Graph.Value scores = ops.matmul(
                ops.permute(splitHeads(scalesScores ? q : ops.scale(q, scale), heads), 0, 2, 1, 3),
                ops.permute(splitHeads(k, heads), 0, 2, 3, 1));
        if (scalesScores) scores = ops.scale(scores, scale);
        if (mask != null) scores = ops.add(scores, mask);
        Operator softmax = Operator.of("Softmax", Map.of("axis", -1L));
        Graph.Value probabilities = ops.graph().node(softmax, scores.shape(), scores);
        Graph.Value attended = ops.matmul(probabilities, ops.permute(splitHeads(v, heads), 0, 2, 1, 3));
        return ops.reshape(ops.permute(attended, 0, 2, 1, 3), q.shape());
    }

    /// (B, S, C) -> (B, S, heads, C / heads).
    private Graph.Value splitHeads(Graph.Value x, int heads) {
        Shape shape = x.shape();
        return ops.reshape(x, Shape.of(shape.size(0), shape.size(1), heads, shape.size(2) / heads));
    }

    /// (1, 1, tokens, tokens): the lowest float above the diagonal, 0 elsewhere.
    private Graph.Value causalMask(long tokens) {
        int side = Math.toIntExact(tokens);
        float[] mask = new float[side * side];
        for (int row = 0; row < side; row++)
            Arrays.fill(mask, row * side + row + 1, (row + 1) * side, -Float.MAX_VALUE);
        return ops.constant(Shape.of(1, 1, side, side), mask);
    }
}

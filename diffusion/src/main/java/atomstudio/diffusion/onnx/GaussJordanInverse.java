package atomstudio.diffusion.onnx;

import atomstudio.diffusion.onnx.Graph.Operator;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;

/// Gauss and Jordan's inverse of matrices (N,n,n) in place, unrolled, without pivoting: column and row k are swept by
/// A ← A − (c − e)(r + e)ᵀ / p with c and r the column and row, p the pivot where they meet, e the k-th unit vector.
/// ONNX has no inverse. Source: Goodnight 1979, "A Tutorial on the SWEEP Operator", section 3.
final class GaussJordanInverse {
    private final Graph graph;
    private final Shape shape;

    GaussJordanInverse(Graph graph, Shape shape) {
        this.graph = graph;
        this.shape = shape;
    }

    Graph.Value inverse(Graph.Value x) {
        Graph.Value swept = x;
        for (int k = 0; k < shape.size(1); k++) swept = sweep(swept, k);
        return swept;
    }

    private Graph.Value sweep(Graph.Value a, int k) {
        Graph.Value column = slice(a, k, 2, shape.with(2, 1));
        Graph.Value row = slice(a, k, 1, shape.with(1, 1));
        Graph.Value pivot = slice(row, k, 2, Shape.of(shape.size(0), 1, 1));
        Graph.Value left = graph.node(Operator.of("Sub"), column.shape(), column,
                unit(k, Shape.of(1, shape.size(1), 1)));
        Graph.Value right = graph.node(Operator.of("Add"), row.shape(), row, unit(k, Shape.of(1, 1, shape.size(2))));
        Graph.Value scaled = graph.node(Operator.of("Div"), right.shape(), right, pivot);
        return graph.node(Operator.of("Sub"), shape, a, graph.node(Operator.of("MatMul"), shape, left, scaled));
    }

    private Graph.Value slice(Graph.Value x, int from, int axis, Shape out) {
        return graph.node(Operator.of("Slice", Map.of()), out, x, graph.constant(new long[] {from}),
                graph.constant(new long[] {from + 1}), graph.constant(new long[] {axis}));
    }

    private Graph.Value unit(int k, Shape shape) {
        float[] values = new float[(int) shape.elements()];
        values[k] = 1;
        return graph.constant(shape, values);
    }
}

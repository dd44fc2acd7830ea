package atomstudio.diffusion.onnx;

import atomstudio.diffusion.onnx.Graph.Operator;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;

/// Skew matrices (N,n,n) of the numbers above their diagonals (N,n(n−1)/2): each place gathers its number, times 1
/// above, −1 below and 0 on the diagonal.
record SkewSymmetric(Graph graph, int side) {
    Graph.Value build(Graph.Value upperTriangle, Shape out) {
        long[] indices = new long[side * side];
        float[] signs = new float[side * side];
        int pair = 0;
        for (int i = 0; i < side; i++) for (int j = i + 1; j < side; j++, pair++) {
            indices[i * side + j] = indices[j * side + i] = pair;
            signs[i * side + j] = 1;
            signs[j * side + i] = -1;
        }
        Shape flat = Shape.of(out.size(0), (long) side * side);
        Graph.Value gathered = graph.node(Operator.of("Gather", Map.of("axis", 1L)), flat, upperTriangle,
                graph.constant(indices));
        Graph.Value signed = graph.node(Operator.of("Mul"), flat, gathered,
                graph.constant(Shape.of(1, flat.size(1)), signs));
        return graph.node(Operator.of("Reshape"), out, signed, graph.constant(out.sizes()));
    }
}

package atomstudio.diffusion.onnx;

import atomstudio.diffusion.onnx.Graph.Operator;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;

/// Inverses of matrices (N,n,n) by Newton's iteration X ← X(2I − AX), from Aᵀ/‖A‖²: two matrix products a round,
/// which doubles the exact digits once the residual is small. Rounds suffice where the smallest singular value is 1
/// or more (I − Q with Q skew) and ‖A‖² at most 2²². ONNX has no inverse. Source: Schulz 1933, "Iterative Berechnung
/// der reziproken Matrix"; Ben-Israel and Cohen 1966 for the beginning.
record NewtonSchulzInverse(Graph graph, Shape shape) {
    private static final int ITERATIONS = 28;

    Graph.Value inverse(Graph.Value a) {
        Shape scalarShape = Shape.of(shape.size(0), 1, 1);
        Graph.Value squares = graph.node(Operator.of("ReduceL2", Map.of("axes", new long[] {1, 2}, "keepdims", 1L)),
                scalarShape, a);
        Graph.Value norm = graph.node(Operator.of("Mul"), scalarShape, squares, squares);
        Graph.Value transposed = graph.node(Operator.of("Transpose", Map.of("perm", new long[] {0, 2, 1})), shape, a);
        Graph.Value x = graph.node(Operator.of("Div"), shape, transposed, norm);
        Graph.Value twiceIdentity = graph.constant(Shape.of(1, shape.size(1), shape.size(2)),
                twiceIdentity((int) shape.size(1)));
        for (int round = 0; round < ITERATIONS; round++) {
            Graph.Value correction = graph.node(Operator.of("Sub"), shape, twiceIdentity,
                    graph.node(Operator.of("MatMul"), shape, a, x));
            x = graph.node(Operator.of("MatMul"), shape, x, correction);
        }
        return x;
    }

    private static float[] twiceIdentity(int side) {
        float[] values = new float[side * side];
        for (int i = 0; i < side; i++) values[i * side + i] = 2;
        return values;
    }
}

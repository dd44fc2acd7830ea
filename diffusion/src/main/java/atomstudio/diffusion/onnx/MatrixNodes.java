package atomstudio.diffusion.onnx;

import atomstudio.diffusion.onnx.Graph.Operator;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;

/// Inverses and skew-symmetric matrices as ONNX nodes, for which ONNX has no operators.
record MatrixNodes(Graph graph) {
    /// Largest side for Gauss-Jordan elimination, whose number of nodes grows with the side.
    private static final int MAX_GAUSS_JORDAN_SIDE = 16;
    private static final int NEWTON_SCHULZ_ITERATIONS = 28;

    /// Inverses of matrices (N, n, n) whose symmetric part is positive definite, with singular values of at least 1 and
    /// ‖A‖² of at most 2²².
    Graph.Value inverse(Graph.Value a) {
        return a.shape().size(1) <= MAX_GAUSS_JORDAN_SIDE ? gaussJordanInverse(a) : newtonSchulzInverse(a);
    }

    /// Gauss-Jordan elimination in place, unrolled, without pivoting.
    private Graph.Value gaussJordanInverse(Graph.Value a) {
        Graph.Value swept = a;
        for (int k = 0; k < a.shape().size(1); k++) swept = sweep(swept, k);
        return swept;
    }

    /// Sweeps column and row k: A ← A − (c − e)(r + e)ᵀ / p with c and r the column and row, p the pivot where they
    /// meet, e the k-th unit vector. Source: Goodnight 1979, "A Tutorial on the SWEEP Operator", section 3.
    private Graph.Value sweep(Graph.Value a, int k) {
        Shape shape = a.shape();
        Graph.Value column = slice(a, k, 2, shape.with(2, 1));
        Graph.Value row = slice(a, k, 1, shape.with(1, 1));
        Graph.Value pivot = slice(row, k, 2, Shape.of(shape.size(0), 1, 1));
        Graph.Value left = graph.node(Operator.of("Sub"), column.shape(), column,
                unitVector(k, Shape.of(1, shape.size(1), 1)));
        Graph.Value right = graph.node(Operator.of("Add"), row.shape(), row,
                unitVector(k, Shape.of(1, 1, shape.size(2))));
        Graph.Value scaled = graph.node(Operator.of("Div"), right.shape(), right, pivot);
        return graph.node(Operator.of("Sub"), shape, a, graph.node(Operator.of("MatMul"), shape, left, scaled));
    }

    private Graph.Value slice(Graph.Value x, int from, int axis, Shape out) {
        return graph.node(Operator.of("Slice"), out, x, graph.constant(from), graph.constant(from + 1),
                graph.constant(axis));
    }

    private Graph.Value unitVector(int k, Shape shape) {
        float[] values = new float[(int) shape.elements()];
        values[k] = 1;
        return graph.constant(shape, values);
    }

    /// Newton's iteration X ← X(2I − AX) from Aᵀ/‖A‖²: two matrix products an iteration, which doubles the number of
    /// correct digits once the residual is small. Source: Schulz 1933, "Iterative Berechnung der reziproken Matrix";
    /// Ben-Israel and Cohen 1966 for the initial value.
    private Graph.Value newtonSchulzInverse(Graph.Value a) {
        Shape shape = a.shape();
        Shape scalar = Shape.of(shape.size(0), 1, 1);
        Operator frobenius = Operator.of("ReduceL2", Map.of("axes", new long[] {1, 2}, "keepdims", 1L));
        Graph.Value norm = graph.node(frobenius, scalar, a);
        Graph.Value squaredNorm = graph.node(Operator.of("Mul"), scalar, norm, norm);
        Graph.Value transposed = graph.node(Operator.of("Transpose", Map.of("perm", new long[] {0, 2, 1})), shape, a);
        Graph.Value x = graph.node(Operator.of("Div"), shape, transposed, squaredNorm);
        Graph.Value twiceIdentity = twiceIdentity((int) shape.size(1));
        for (int i = 0; i < NEWTON_SCHULZ_ITERATIONS; i++) {
            Graph.Value product = graph.node(Operator.of("MatMul"), shape, a, x);
            Graph.Value correction = graph.node(Operator.of("Sub"), shape, twiceIdentity, product);
            x = graph.node(Operator.of("MatMul"), shape, x, correction);
        }
        return x;
    }

    private Graph.Value twiceIdentity(int side) {
        float[] values = new float[side * side];
        for (int i = 0; i < side; i++) values[i * side + i] = 2;
        return graph.constant(Shape.of(1, side, side), values);
    }

    /// Strict upper triangles (N, n(n−1)/2) -> skew-symmetric matrices (N, n, n): every element gathers its value,
    /// times 1 above, −1 below and 0 on the diagonal.
    Graph.Value skewSymmetric(Graph.Value upperTriangle, int side) {
        long[] indices = new long[side * side];
        float[] signs = new float[side * side];
        int pair = 0;
        for (int i = 0; i < side; i++) {
            for (int j = i + 1; j < side; j++, pair++) {
                indices[i * side + j] = indices[j * side + i] = pair;
                signs[i * side + j] = 1;
                signs[j * side + i] = -1;
            }
        }
        Shape flat = Shape.of(upperTriangle.shape().size(0), (long) side * side);
        Graph.Value gathered = graph.node(Operator.of("Gather", Map.of("axis", 1L)), flat, upperTriangle,
                graph.constant(indices));
        Graph.Value signed = graph.node(Operator.of("Mul"), flat, gathered,
                graph.constant(Shape.of(1, flat.size(1)), signs));
        Shape out = Shape.of(flat.size(0), side, side);
        return graph.node(Operator.of("Reshape"), out, signed, graph.constant(out.sizes()));
    }
}

package atomstudio.tuning.optimize;

import atomstudio.diffusion.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Momentum whose matrices are made nearly orthogonal, so that every direction of a matrix moves alike; AdamW for what is no matrix.
/// A matrix's step is scaled to the size that AdamW's has, so that a rate means the same for both.
/// Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; the scale is Liu et al. 2025, "Muon is
/// Scalable for LLM Training", equation 4.
public final class Muon implements Optimizer {
    private static final double MOMENTUM = 0.95;
    private static final int ITERATIONS = 5;
    private static final double[] QUINTIC = {3.4445, -4.7750, 2.0315};
    private static final double SCALE = 0.2;

    private final List<Shape> shapes;
    private final float[] momentum;
    private final AdamW others;

    /// @param shapes of the vector's consecutive pieces
    public Muon(List<Shape> shapes, int size) {
        this(shapes, new State(Map.of("momentum", new float[size], "first", new float[size], "second", new float[size]), Map.of()), 0);
    }

    /// Goes on from a state after so many steps.
    public Muon(List<Shape> shapes, State state, int steps) {
        this.shapes = List.copyOf(shapes);
        this.momentum = state.vectors().get("momentum");
        this.others = new AdamW(state.vectors().get("first"), state.vectors().get("second"), steps, 0);
    }

    @Override public void step(float[] numbers, float[] gradient, LearningRates rates) {
        float[] rest = gradient.clone();
        float[] before = numbers.clone();
        int at = 0;
        for (Shape shape : shapes) {
            int size = Math.toIntExact(shape.elements());
            if (matrix(shape)) Arrays.fill(rest, at, at + size, 0);
            at += size;
        }
        others.step(numbers, rest, rates);
        at = 0;
        for (Shape shape : shapes) {
            int size = Math.toIntExact(shape.elements());
            if (matrix(shape)) turn(new Piece(at, (int) shape.size(0), size / (int) shape.size(0)), before, numbers, new Pull(gradient, rates.at(at)));
            at += size;
        }
    }

    private record Piece(int at, int rows, int columns) {}

    private record Pull(float[] gradient, double rate) {}

    /// Nesterov's momentum B ← μB + G, step along the orthogonalized G + μB.
    private void turn(Piece piece, float[] before, float[] numbers, Pull pull) {
        double[] ahead = new double[piece.rows * piece.columns];
        for (int i = 0; i < ahead.length; i++) {
            float g = pull.gradient[piece.at + i];
            momentum[piece.at + i] = (float) (MOMENTUM * momentum[piece.at + i] + g);
            ahead[i] = g + MOMENTUM * momentum[piece.at + i];
        }
        double[] direction = orthogonal(ahead, piece.rows, piece.columns);
        double by = pull.rate * SCALE * Math.sqrt(Math.max(piece.rows, piece.columns));
        for (int i = 0; i < ahead.length; i++) numbers[piece.at + i] = (float) (before[piece.at + i] - by * direction[i]);
    }

    private static boolean matrix(Shape shape) {
        return shape.rank() >= 2 && shape.size(0) > 1 && shape.elements() > shape.size(0);
    }

    /// Five steps of Newton and Schulz, X ← aX + (bA + cA²)X with A = XXᵀ, which take a matrix's singular values to about 1.
    static double[] orthogonal(double[] matrix, int rows, int columns) {
        if (rows > columns) return transposed(orthogonal(transposed(matrix, rows, columns), columns, rows), columns, rows);
        double norm = 1e-7;
        double square = 0;
        for (double number : matrix) square += number * number;
        norm += Math.sqrt(square);
        double[] x = new double[matrix.length];
        for (int i = 0; i < x.length; i++) x[i] = matrix[i] / norm;
        for (int k = 0; k < ITERATIONS; k++) {
            double[] a = product(x, transposed(x, rows, columns), rows, columns);
            double[] aa = product(a, a, rows, rows);
            for (int i = 0; i < a.length; i++) a[i] = QUINTIC[1] * a[i] + QUINTIC[2] * aa[i];
            double[] change = product(a, x, rows, rows);
            for (int i = 0; i < x.length; i++) x[i] = QUINTIC[0] * x[i] + change[i];
        }
        return x;
    }

    /// (rows × inner) · (inner × the rest).
    private static double[] product(double[] left, double[] right, int rows, int inner) {
        int columns = right.length / inner;
        double[] product = new double[rows * columns];
        for (int i = 0; i < rows; i++) {
            for (int k = 0; k < inner; k++) {
                double by = left[i * inner + k];
                for (int j = 0; j < columns; j++) product[i * columns + j] += by * right[k * columns + j];
            }
        }
        return product;
    }

    private static double[] transposed(double[] matrix, int rows, int columns) {
        double[] transposed = new double[matrix.length];
        for (int i = 0; i < rows; i++) for (int j = 0; j < columns; j++) transposed[j * rows + i] = matrix[i * columns + j];
        return transposed;
    }

    @Override public State state() {
        Map<String, float[]> adam = others.state().vectors();
        return new State(Map.of("momentum", momentum, "first", adam.get("first"), "second", adam.get("second")), Map.of());
    }
}

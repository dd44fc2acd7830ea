package atomstudio.tuning.optimize;

import atomstudio.diffusion.Failure;
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
    private static final double SCALE = 0.2;

    private final List<Shape> shapes;
    private final float[] momentum;
    private final AdamW others;
    private final Orthogonalization orthogonalization;

    /// @param shapes of the vector's consecutive pieces
    public Muon(List<Shape> shapes, int size, Orthogonalization orthogonalization) {
        this(shapes, new State(Map.of("momentum", new float[size], "first", new float[size], "second", new float[size]), Map.of()), 0, orthogonalization);
    }

    /// Goes on from a state after so many steps.
    public Muon(List<Shape> shapes, State state, int steps, Orthogonalization orthogonalization) {
        this.orthogonalization = orthogonalization;
        this.shapes = List.copyOf(shapes);
        this.momentum = state.vectors().get("momentum");
        this.others = new AdamW(state.vectors().get("first"), state.vectors().get("second"), steps, 0);
    }

    @Override public void step(float[] numbers, float[] gradient, LearningRates rates) throws Failure {
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
    private void turn(Piece piece, float[] before, float[] numbers, Pull pull) throws Failure {
        float[] ahead = new float[piece.rows * piece.columns];
        for (int i = 0; i < ahead.length; i++) {
            float g = pull.gradient[piece.at + i];
            momentum[piece.at + i] = (float) (MOMENTUM * momentum[piece.at + i] + g);
            ahead[i] = (float) (g + MOMENTUM * momentum[piece.at + i]);
        }
        float[] direction = orthogonalization.of(ahead, piece.rows, piece.columns);
        double by = pull.rate * SCALE * Math.sqrt(Math.max(piece.rows, piece.columns));
        for (int i = 0; i < ahead.length; i++) numbers[piece.at + i] = (float) (before[piece.at + i] - by * direction[i]);
    }

    private static boolean matrix(Shape shape) {
        return shape.rank() >= 2 && shape.size(0) > 1 && shape.elements() > shape.size(0);
    }

    @Override public State state() {
        Map<String, float[]> adam = others.state().vectors();
        return new State(Map.of("momentum", momentum, "first", adam.get("first"), "second", adam.get("second")), Map.of());
    }
}

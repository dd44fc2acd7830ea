package atomstudio.tuning.optimize;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Momentum with orthogonalized updates for matrices, AdamW for all other parameters. Matrix updates are scaled to the
/// RMS of AdamW's, so that one learning rate fits both. Weight decay is decoupled.
/// Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; scale: Liu et al. 2025, "Muon
/// is Scalable for LLM Training", equation 4.
public final class Muon implements Optimizer {
    private static final double MOMENTUM = 0.95;
    private static final double SCALE = 0.2;

    private final List<Shape> shapes;
    private final float[] momentum;
    private final AdamW adamW;
    private final Orthogonalization orthogonalization;

    /// @param shapes of the parameters in the vector, in order
    public Muon(List<Shape> shapes, int size, Orthogonalization orthogonalization) {
        this(shapes, new State(Map.of("momentum", new float[size], "first", new float[size], "second", new float[size]),
                Map.of()), 0, orthogonalization);
    }

    /// Resumes from a state after `steps` steps.
    public Muon(List<Shape> shapes, State state, int steps, Orthogonalization orthogonalization) {
        this.orthogonalization = orthogonalization;
        this.shapes = List.copyOf(shapes);
        this.momentum = state.vectors().get("momentum");
        this.adamW = new AdamW(state.vectors().get("first"), state.vectors().get("second"), steps);
    }

    @Override
    public void step(float[] parameters, float[] gradient, LearningRates rates) throws Failure {
        float[] adamWGradient = gradient.clone(); // zero for matrices
        float[] before = parameters.clone();
        int offset = 0;
        for (Shape shape : shapes) {
            int size = Math.toIntExact(shape.elements());
            if (isMatrix(shape)) Arrays.fill(adamWGradient, offset, offset + size, 0);
            offset += size;
        }
        adamW.step(parameters, adamWGradient, rates);
        offset = 0;
        for (Shape shape : shapes) {
            int size = Math.toIntExact(shape.elements());
            if (isMatrix(shape)) {
                MatrixSlice slice = new MatrixSlice(offset, (int) shape.size(0), size / (int) shape.size(0));
                float[] direction = direction(slice, gradient);
                LearningRates.ParameterGroup group = rates.groupAt(offset);
                double rate = rates.rateOf(group);
                double scale = rate * SCALE * Math.sqrt(Math.max(slice.rows, slice.columns));
                double kept = 1 - rate * group.weightDecay();
                for (int i = 0; i < size; i++)
                    parameters[offset + i] = (float) (kept * before[offset + i] - scale * direction[i]);
            }
            offset += size;
        }
    }

    /// A matrix within the vector.
    private record MatrixSlice(int offset, int rows, int columns) {}

    /// Nesterov momentum B ← μB + G; the direction is the orthogonalized G + μB.
    private float[] direction(MatrixSlice slice, float[] gradient) throws Failure {
        float[] nesterov = new float[slice.rows * slice.columns];
        for (int i = 0; i < nesterov.length; i++) {
            float g = gradient[slice.offset + i];
            momentum[slice.offset + i] = (float) (MOMENTUM * momentum[slice.offset + i] + g);
            nesterov[i] = (float) (g + MOMENTUM * momentum[slice.offset + i]);
        }
        return orthogonalization.orthogonalize(nesterov, slice.rows, slice.columns);
    }

    private static boolean isMatrix(Shape shape) {
        return shape.rank() >= 2 && shape.size(0) > 1 && shape.elements() > shape.size(0);
    }

    @Override
    public State state() {
        Map<String, float[]> adam = adamW.state().vectors();
        return new State(Map.of("momentum", momentum, "first", adam.get("first"), "second", adam.get("second")),
                Map.of());
    }

    /// Moves the singular values of a matrix to about 1 by the Newton-Schulz iteration X ← aX + (bA + cA²)X with A =
    /// XXᵀ, starting from X with Frobenius norm 1. A matrix with more rows than columns is transposed first.
    /// Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks".
    @FunctionalInterface
    public interface Orthogonalization {
        int ITERATIONS = 5;
        /// Coefficients a, b and c.
        double A = 3.4445, B = -4.7750, C = 2.0315;
        /// Added to the norm, so that a zero matrix stays zero.
        double EPSILON = 1e-7;

        /// @param matrix row-major, not modified
        /// @return a matrix of the same shape
        float[] orthogonalize(float[] matrix, int rows, int columns) throws Failure;
    }
}

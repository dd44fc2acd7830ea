package atomstudio.tuning.optimize;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Momentum with orthogonalized updates for matrices, AdamW for all other parameters. Matrix updates are scaled to the
/// RMS of AdamW's, so that one learning rate fits both. Weight decay is decoupled.
/// Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; scale: Liu et al. 2025, "Muon
/// is Scalable for LLM Training", equation 4.
public final class Muon implements Optimizer {
    private static final double MOMENTUM = 0.95;
    private static final double SCALE = 0.2;
    /// Numbers that are orthogonalized in one call.
    private static final int MAX_BATCH_ELEMENTS = 1 << 24;

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
        Map<MatrixShape, List<Integer>> matrices = new LinkedHashMap<>();
        int offset = 0;
        for (Shape shape : shapes) {
            int size = Math.toIntExact(shape.elements());
            if (isMatrix(shape)) {
                Arrays.fill(adamWGradient, offset, offset + size, 0);
                int rows = (int) shape.size(0);
                matrices.computeIfAbsent(new MatrixShape(rows, size / rows), _ -> new ArrayList<>()).add(offset);
            }
            offset += size;
        }
        adamW.step(parameters, adamWGradient, rates);
        for (Map.Entry<MatrixShape, List<Integer>> group : matrices.entrySet()) {
            int batch = Math.max(1, MAX_BATCH_ELEMENTS / group.getKey().size());
            List<Integer> offsets = group.getValue();
            for (int i = 0; i < offsets.size(); i += batch)
                stepMatrices(new MatrixBatch(group.getKey(), offsets.subList(i, Math.min(i + batch, offsets.size()))),
                        new Step(parameters, before, gradient, rates));
        }
    }

    private record Step(float[] parameters, float[] before, float[] gradient, LearningRates rates) {}

    private record MatrixShape(int rows, int columns) {
        int size() {
            return rows * columns;
        }
    }

    /// Matrices of one shape.
    /// @param offsets within the vector
    private record MatrixBatch(MatrixShape shape, List<Integer> offsets) {}

    private void stepMatrices(MatrixBatch batch, Step step) throws Failure {
        int rows = batch.shape.rows, columns = batch.shape.columns, size = batch.shape.size();
        float[] directions = orthogonalization.orthogonalize(nesterov(batch, step.gradient), batch.offsets.size(), rows,
                columns);
        for (int k = 0; k < batch.offsets.size(); k++) {
            int offset = batch.offsets.get(k);
            LearningRates.ParameterGroup group = step.rates.groupAt(offset);
            double rate = step.rates.rateOf(group);
            double scale = rate * SCALE * Math.sqrt(Math.max(rows, columns));
            double kept = 1 - rate * group.weightDecay();
            for (int i = 0; i < size; i++)
                step.parameters[offset + i] = (float) (kept * step.before[offset + i]
                        - scale * directions[k * size + i]);
        }
    }

    /// Nesterov momentum B ← μB + G; returns G + μB.
    private float[] nesterov(MatrixBatch batch, float[] gradient) {
        int size = batch.shape.size();
        float[] nesterov = new float[batch.offsets.size() * size];
        for (int k = 0; k < batch.offsets.size(); k++) {
            int offset = batch.offsets.get(k);
            for (int i = 0; i < size; i++) {
                float g = gradient[offset + i];
                momentum[offset + i] = (float) (MOMENTUM * momentum[offset + i] + g);
                nesterov[k * size + i] = (float) (g + MOMENTUM * momentum[offset + i]);
            }
        }
        return nesterov;
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

    /// Moves the singular values of each matrix to about 1 by the Newton-Schulz iteration X ← aX + (bA + cA²)X with A =
    /// XXᵀ, starting from X with Frobenius norm 1. Matrices with more rows than columns are transposed first.
    /// Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks".
    @FunctionalInterface
    public interface Orthogonalization {
        int ITERATIONS = 5;
        /// Coefficients a, b and c.
        double A = 3.4445, B = -4.7750, C = 2.0315;
        /// Added to the norm, so that a zero matrix stays zero.
        double EPSILON = 1e-7;

        /// @param matrices of one shape, row-major, one after another; not modified
        /// @return as many matrices of the same shape
        float[] orthogonalize(float[] matrices, int count, int rows, int columns) throws Failure;
    }
}

package atomstudio.tuning.optimize;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Momentum whose matrices are made nearly orthogonal, so that every direction of a matrix moves alike; AdamW for
/// what is no matrix. A matrix's step is scaled to the size that AdamW's has, so that a rate means the same for both.
/// Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; the scale is Liu et al.
/// 2025, "Muon is Scalable for LLM Training", equation 4.
public final class Muon implements Optimizer {
    private static final double MOMENTUM = 0.95;
    private static final double SCALE = 0.2;

    private final List<Shape> shapes;
    private final float[] momentum;
    private final AdamW adamW;
    private final Orthogonalization orthogonalization;

    /// @param shapes of the vector's consecutive pieces
    public Muon(List<Shape> shapes, int size, Orthogonalization orthogonalization) {
        this(shapes, new State(Map.of("momentum", new float[size], "first", new float[size], "second", new float[size]),
                Map.of()), 0, orthogonalization);
    }

    /// Goes on from a state after so many steps.
    public Muon(List<Shape> shapes, State state, int steps, Orthogonalization orthogonalization) {
        this.orthogonalization = orthogonalization;
        this.shapes = List.copyOf(shapes);
        this.momentum = state.vectors().get("momentum");
        this.adamW = new AdamW(state.vectors().get("first"), state.vectors().get("second"), steps, 0);
    }

    @Override
    public void step(float[] parameters, float[] gradient, LearningRates rates) throws Failure {
        float[] vectorGradient = gradient.clone();
        float[] before = parameters.clone();
        int offset = 0;
        for (Shape shape : shapes) {
            int size = Math.toIntExact(shape.elements());
            if (isMatrix(shape)) Arrays.fill(vectorGradient, offset, offset + size, 0);
            offset += size;
        }
        adamW.step(parameters, vectorGradient, rates);
        offset = 0;
        for (Shape shape : shapes) {
            int size = Math.toIntExact(shape.elements());
            if (isMatrix(shape))
                stepMatrix(new MatrixSlice(offset, (int) shape.size(0), size / (int) shape.size(0)), before, parameters,
                        new MatrixGradient(gradient, rates.rateAt(offset)));
            offset += size;
        }
    }

    private record MatrixSlice(int offset, int rows, int columns) {}

    private record MatrixGradient(float[] gradient, double learningRate) {}

    /// Nesterov's momentum B ← μB + G, step along the orthogonalized G + μB.
    private void stepMatrix(MatrixSlice slice, float[] before, float[] parameters, MatrixGradient matrixGradient)
            throws Failure {
        float[] nesterov = new float[slice.rows * slice.columns];
        for (int i = 0; i < nesterov.length; i++) {
            float g = matrixGradient.gradient[slice.offset + i];
            momentum[slice.offset + i] = (float) (MOMENTUM * momentum[slice.offset + i] + g);
            nesterov[i] = (float) (g + MOMENTUM * momentum[slice.offset + i]);
        }
        float[] direction = orthogonalization.orthogonalize(nesterov, slice.rows, slice.columns);
        double scale = matrixGradient.learningRate * SCALE * Math.sqrt(Math.max(slice.rows, slice.columns));
        for (int i = 0; i < nesterov.length; i++)
            parameters[slice.offset + i] = (float) (before[slice.offset + i] - scale * direction[i]);
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
}

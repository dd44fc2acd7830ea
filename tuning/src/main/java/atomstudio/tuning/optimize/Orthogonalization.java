package atomstudio.tuning.optimize;

import atomstudio.diffusion.Failure;

/// Takes the singular values of a matrix to about 1 by Newton and Schulz's iteration X ← aX + (bA + cA²)X with A =
/// XXᵀ, from X of length 1; of a matrix with more rows than columns its transpose is taken.
/// Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks".
@FunctionalInterface
public interface Orthogonalization {
    int ITERATIONS = 5;
    /// a, b and c.
    double A = 3.4445, B = -4.7750, C = 2.0315;
    /// Added to the length, so that a matrix of zeros stays one.
    double EPSILON = 1e-7;

    /// @param matrix row by row, not to be changed
    /// @return a matrix of the same shape
    float[] orthogonalize(float[] matrix, int rows, int columns) throws Failure;
}

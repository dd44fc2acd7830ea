package atomstudio.diffusion.tensor;

/// Solves small systems of linear equations.
public final class LinearSystem {
    private LinearSystem() {}

    /// Gauss-Jordan elimination without pivoting, for matrices that do not need it: positive definite, or Vandermonde
    /// with distinct nodes.
    /// @param system n rows of n + 1 numbers, the last one the right-hand side; overwritten
    public static double[] solve(double[][] system) {
        int n = system.length;
        for (int pivot = 0; pivot < n; pivot++) {
            for (int row = 0; row < n; row++) {
                if (row == pivot) continue;
                double factor = system[row][pivot] / system[pivot][pivot];
                for (int column = pivot; column <= n; column++) system[row][column] -= factor * system[pivot][column];
            }
        }
        double[] solution = new double[n];
        for (int i = 0; i < n; i++) solution[i] = system[i][n] / system[i][i];
        return solution;
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;
import java.util.Comparator;

/// Leading right singular vectors of a tall matrix: eigenvectors of its small Gram matrix, by Jacobi rotations in
/// doubles. Deterministic: signs are fixed so that a vector's largest component (the first of equals) is positive.
/// Source: Jacobi 1846; Golub and Van Loan, Matrix Computations, section 8.5.
final class SingularVectors {
    private static final int SWEEPS = 60;

    private SingularVectors() {}

    /// (N, n) -> (count, n), orthonormal rows, largest singular value first.
    static Tensor leading(Tensor rows, int count) {
        int n = (int) rows.shape().size(1);
        double[][] gram = gram(rows.data(), n);
        double[][] vectors = new double[n][n];
        for (int i = 0; i < n; i++) vectors[i][i] = 1;
        for (int sweep = 0; sweep < SWEEPS && offDiagonal(gram) > 0; sweep++) {
            for (int p = 0; p < n; p++) for (int q = p + 1; q < n; q++) rotate(gram, vectors, p, q);
        }
        Integer[] order = new Integer[n];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, Comparator.comparingDouble(i -> -gram[i][i]));
        Tensor leading = Tensor.zeros(Shape.of(count, n));
        for (int row = 0; row < count; row++) {
            double sign = sign(vectors, order[row]);
            for (int i = 0; i < n; i++) leading.data()[row * n + i] = (float) (sign * vectors[i][order[row]]);
        }
        return leading;
    }

    private static double[][] gram(float[] rows, int n) {
        double[][] gram = new double[n][n];
        for (int offset = 0; offset < rows.length; offset += n) {
            for (int i = 0; i < n; i++)
                for (int j = i; j < n; j++) gram[i][j] += (double) rows[offset + i] * rows[offset + j];
        }
        for (int i = 0; i < n; i++) for (int j = 0; j < i; j++) gram[i][j] = gram[j][i];
        return gram;
    }

    /// Largest off-diagonal element that is not negligible against its diagonal elements.
    private static double offDiagonal(double[][] a) {
        double largest = 0;
        for (int p = 0; p < a.length; p++) for (int q = p + 1; q < a.length; q++) {
            if (Math.abs(a[p][q]) > 1e-15 * Math.sqrt(Math.abs(a[p][p] * a[q][q])))
                largest = Math.max(largest, Math.abs(a[p][q]));
        }
        return largest;
    }

    /// Rotates rows and columns p and q so that a[p][q] becomes 0.
    private static void rotate(double[][] a, double[][] vectors, int p, int q) {
        if (a[p][q] == 0) return;
        double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        double t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        double c = 1 / Math.sqrt(t * t + 1), s = t * c;
        for (double[] row : a) rotatePair(row, p, q, c, s);
        for (int i = 0; i < a.length; i++) {
            double x = a[p][i], y = a[q][i];
            a[p][i] = c * x - s * y;
            a[q][i] = s * x + c * y;
        }
        a[p][q] = a[q][p] = 0;
        for (double[] row : vectors) rotatePair(row, p, q, c, s);
    }

    private static void rotatePair(double[] row, int p, int q, double c, double s) {
        double x = row[p], y = row[q];
        row[p] = c * x - s * y;
        row[q] = s * x + c * y;
    }

    private static double sign(double[][] vectors, int column) {
        double largest = 0;
        for (double[] row : vectors) if (Math.abs(row[column]) > Math.abs(largest) * (1 + 1e-9)) largest = row[column];
        return largest < 0 ? -1 : 1;
    }
}

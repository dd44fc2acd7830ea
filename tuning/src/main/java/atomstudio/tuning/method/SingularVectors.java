package atomstudio.tuning.method;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.SingularOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;
import org.ejml.interfaces.decomposition.QRDecomposition;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;

/// Leading right singular vectors of a matrix, and those of random matrices, in doubles.
/// Deterministic: the sign is chosen so that a vector's largest component (the first of equals) is positive.
final class SingularVectors {
    private static final int OVERSAMPLING = 8;
    private static final int ITERATIONS = 16;

    private SingularVectors() {}

    /// √σ · factor · v of the leading singular values σ and right singular vectors v, (N, n) -> (count, n); zero beyond
    /// the smaller side. By subspace iteration, since both sides may be large.
    /// Source: Halko, Martinsson, Tropp 2011, "Finding Structure with Randomness", algorithm 4.4.
    static Tensor scaledLeading(Tensor matrix, int count, double factor, CounterRng rng) {
        int rows = Math.toIntExact(matrix.shape().size(0)), n = Math.toIntExact(matrix.shape().size(1));
        int width = Math.min(count + OVERSAMPLING, Math.min(rows, n));
        DMatrixRMaj w = matrix(rows, n, matrix.data());
        DMatrixRMaj basis = orthonormalized(matrix(n, width, rng.normals(n * width)));
        DMatrixRMaj image = new DMatrixRMaj(rows, width);
        for (int i = 0; i < ITERATIONS; i++) {
            CommonOps_DDRM.mult(w, basis, image);
            CommonOps_DDRM.multTransA(w, orthonormalized(image), basis);
            basis = orthonormalized(basis);
        }
        CommonOps_DDRM.mult(w, basis, image);
        SingularValueDecomposition_F64<DMatrixRMaj> svd = DecompositionFactory_DDRM.svd(rows, width, false, true, true);
        if (!svd.decompose(image)) return Tensor.filled(Shape.of(count, n), Float.NaN);
        DMatrixRMaj v = svd.getV(null, true);
        double[] values = svd.getSingularValues();
        SingularOps_DDRM.descendingOrder(null, false, values, width, v, true);
        DMatrixRMaj vectors = new DMatrixRMaj(width, n);
        CommonOps_DDRM.multTransB(v, basis, vectors);
        double[] scales = new double[count];
        for (int row = 0; row < Math.min(count, width); row++)
            scales[row] = factor * Math.sqrt(values[row])
                    * sign(Arrays.copyOfRange(vectors.getData(), row * n, (row + 1) * n));
        return Tensor.generate(Shape.of(count, n), i -> scales[i / n] == 0 ? 0 : scales[i / n] * vectors.getData()[i]);
    }

    /// Singular vectors of a matrix of normal numbers with this many rows or columns, (count, n): orthonormal rows.
    static Tensor ofRandom(int n, int count, CounterRng rng) {
        DMatrixRMaj q = orthonormalized(matrix(n, count, rng.normals(n * count)));
        return Tensor.generate(Shape.of(count, n), i -> q.get(i % n, i / n));
    }

    /// The smallest singular values of a matrix of normal numbers, the largest of them first. They are those of a
    /// bidiagonal matrix of χ-distributed numbers, and the positive eigenvalues of a tridiagonal matrix with these
    /// beside a zero diagonal, found by bisection.
    /// Source: Dumitriu, Edelman 2002, "Matrix Models for Beta Ensembles", section 3.2; Golub, Van Loan, "Matrix
    /// Computations", section 8.4.1.
    static Tensor lastValuesOfRandom(int rows, int columns, int count, CounterRng rng) {
        int longer = Math.max(rows, columns), shorter = Math.min(rows, columns);
        double[] squares = new double[2 * shorter - 1]; // of the bidiagonal's elements, in the order d0, e0, d1, e1, …
        float[] normals = rng.normals(shorter * (longer + shorter));
        int used = 0;
        for (int i = 0; i < squares.length; i++) {
            int freedom = i % 2 == 0 ? longer - i / 2 : shorter - 1 - i / 2;
            for (int k = 0; k < freedom; k++, used++) squares[i] += (double) normals[used] * normals[used];
        }
        double bound = 2 * Math.sqrt(Arrays.stream(squares).max().orElse(0));
        return Tensor.generate(Shape.of(count), i -> {
            double low = 0, high = bound;
            for (int step = 0; step < 60; step++) {
                double middle = (low + high) / 2;
                if (eigenvaluesBelow(middle, squares) - shorter >= count - i) high = middle;
                else low = middle;
            }
            return high;
        });
    }

    /// Eigenvalues below x of the symmetric tridiagonal matrix with a zero diagonal, by the signs of its pivots.
    /// @param squares of the elements beside the diagonal
    private static int eigenvaluesBelow(double x, double[] squares) {
        int negative = 0;
        double pivot = -x;
        for (int i = 0;; i++) {
            if (pivot < 0) negative++;
            if (i == squares.length) return negative;
            pivot = -x - squares[i] / (Math.abs(pivot) < 1e-300 ? 1e-300 : pivot);
        }
    }

    private static DMatrixRMaj matrix(int rows, int columns, float[] values) {
        DMatrixRMaj matrix = new DMatrixRMaj(rows, columns);
        for (int i = 0; i < values.length; i++) matrix.getData()[i] = values[i];
        return matrix;
    }

    /// An orthonormal basis of the columns.
    private static DMatrixRMaj orthonormalized(DMatrixRMaj columns) {
        QRDecomposition<DMatrixRMaj> qr = DecompositionFactory_DDRM.qr(columns.getNumRows(), columns.getNumCols());
        qr.decompose(columns.copy());
        return qr.getQ(null, true);
    }

    /// Eigenvectors of the small Gram matrix of a tall matrix, (N, n) -> (count, n), orthonormal rows, largest singular
    /// value first.
    static Tensor leading(Tensor rows, int count) {
        int n = (int) rows.shape().size(1);
        EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(n, true, true);
        if (!eigen.decompose(gram(rows.data(), n))) return Tensor.filled(Shape.of(count, n), Float.NaN);
        List<DMatrixRMaj> vectors = IntStream.range(0, n)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -eigen.getEigenvalue(i).getReal()))
                .map(eigen::getEigenVector)
                .toList();
        Tensor leading = Tensor.zeros(Shape.of(count, n));
        for (int row = 0; row < count; row++) {
            double[] vector = vectors.get(row).getData();
            double sign = sign(vector);
            for (int i = 0; i < n; i++) leading.data()[row * n + i] = (float) (sign * vector[i]);
        }
        return leading;
    }

    private static DMatrixRMaj gram(float[] rows, int n) {
        double[][] gram = new double[n][n];
        for (int offset = 0; offset < rows.length; offset += n) {
            for (int i = 0; i < n; i++)
                for (int j = i; j < n; j++) gram[i][j] += (double) rows[offset + i] * rows[offset + j];
        }
        for (int i = 0; i < n; i++) for (int j = 0; j < i; j++) gram[i][j] = gram[j][i];
        return new DMatrixRMaj(gram);
    }

    private static double sign(double[] vector) {
        double largest = 0;
        for (double number : vector) if (Math.abs(number) > Math.abs(largest) * (1 + 1e-9)) largest = number;
        return largest < 0 ? -1 : 1;
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/// Leading right singular vectors of a tall matrix: eigenvectors of its small Gram matrix, in doubles.
/// Deterministic: the sign is chosen so that a vector's largest component (the first of equals) is positive.
final class SingularVectors {
    private SingularVectors() {}

    /// (N,n) -> (count,n), orthonormal rows, largest singular value first.
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

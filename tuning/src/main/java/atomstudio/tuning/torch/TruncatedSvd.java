package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/// The leading singular values and vectors of a matrix, A ≈ U · diag(s) · Vᵀ, by randomized subspace iteration.
/// Products with the matrix are computed by PyTorch, eigenvectors of small matrices in double precision.
/// Source: Halko, Martinsson and Tropp 2011, "Finding structure with randomness", algorithms 4.4 and 5.1.
/// @param values      largest first
/// @param left        (M, r), orthonormal columns
/// @param right       (r, N), orthonormal rows
/// @param squaredNorm of the matrix: the sum of the squares of all its singular values
public record TruncatedSvd(double[] values, Tensor left, Tensor right, double squaredNorm) {
    private static final int OVERSAMPLING = 8;
    private static final int ITERATIONS = 2;

    /// Of a layer's weight as a matrix: outputs by inputs and kernel.
    static TruncatedSvd ofWeight(Torch torch, Tensor weight, int maxRank) {
        long outputs = weight.shape().size(0);
        return of(torch, weight.reshape(Shape.of(outputs, weight.shape().elements() / outputs)), maxRank);
    }

    /// @param matrix (M, N)
    static TruncatedSvd of(Torch torch, Tensor matrix, int maxRank) {
        int rows = Math.toIntExact(matrix.shape().size(0)), columns = Math.toIntExact(matrix.shape().size(1));
        int size = Math.min(Math.min(rows, columns), maxRank + OVERSAMPLING);
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            NDArray a = torch.array(matrix);
            NDArray basis = size == rows
                    ? torch.array(Tensor.generate(Shape.of(rows, rows), i -> i % (rows + 1) == 0 ? 1 : 0))
                    : size == columns ? orthonormal(torch, a) : leadingSpace(torch, a, size);
            // B = QᵀA = Y · diag(s) · Vᵀ from the eigenvectors Y of B · Bᵀ: A ≈ (Q · Y) · diag(s) · Vᵀ.
            NDArray projected = basis.transpose().matMul(a);
            Eigenvectors eigen = Eigenvectors.of(torch.tensor(projected.matMul(projected.transpose())), maxRank);
            NDArray y = torch.array(eigen.vectors);
            double[] values = Arrays.stream(eigen.values).map(Math::sqrt).toArray();
            Tensor right = torch.tensor(y.transpose().matMul(projected));
            return new TruncatedSvd(values, torch.tensor(basis.matMul(y)),
                    Tensor.generate(right.shape(), i -> right.data()[i] / values[i / columns]), matrix.squaredNorm());
        }
    }

    private static NDArray leadingSpace(Torch torch, NDArray a, int size) {
        Random random = new Random(0); // the seed is fixed so that equal adapters give equal files
        NDArray transposed = a.transpose();
        NDArray start = torch.array(
                Tensor.generate(Shape.of(transposed.getShape().get(0), size), _ -> random.nextGaussian()));
        NDArray basis = orthonormal(torch, a.matMul(start));
        for (int i = 0; i < ITERATIONS; i++)
            basis = orthonormal(torch, a.matMul(orthonormal(torch, transposed.matMul(basis))));
        return basis;
    }

    /// An orthonormal basis of the columns' space: Y · V · Λ^(-1/2) with the eigenvectors of YᵀY, which PyTorch
    /// computes fast for long columns. Directions below the precision of float32 are left out.
    /// Source: Stathopoulos and Wu 2002, "A block orthogonalization procedure with constant synchronization
    /// requirements", algorithm 3.1 (SVQB); run twice for orthogonality.
    private static NDArray orthonormal(Torch torch, NDArray columns) {
        NDArray basis = columns;
        for (int pass = 0; pass < 2; pass++) {
            Eigenvectors eigen = Eigenvectors.of(torch.tensor(basis.transpose().matMul(basis)), Integer.MAX_VALUE);
            int kept = eigen.values.length;
            basis = basis.matMul(torch.array(Tensor.generate(eigen.vectors.shape(),
                    i -> eigen.vectors.data()[i] / Math.sqrt(eigen.values[i % kept]))));
        }
        return basis;
    }

    /// Of a symmetric matrix, largest eigenvalue first, without those that are zero in float32.
    /// @param vectors as columns
    private record Eigenvectors(double[] values, Tensor vectors) {
        private static final double PRECISION = 1e-6;

        static Eigenvectors of(Tensor symmetric, int maxCount) {
            int size = Math.toIntExact(symmetric.shape().size(0));
            DMatrixRMaj matrix = new DMatrixRMaj(size, size);
            for (int i = 0; i < size; i++)
                for (int j = 0; j < size; j++)
                    matrix.set(i, j, ((double) symmetric.data()[i * size + j] + symmetric.data()[j * size + i]) / 2);
            EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(size, true, true);
            if (!eigen.decompose(matrix)) throw new IllegalArgumentException("matrix: has no eigenvectors");
            double largest = IntStream.range(0, size)
                    .mapToDouble(i -> eigen.getEigenvalue(i).getReal())
                    .max()
                    .orElse(0);
            int[] order = IntStream.range(0, size)
                    .filter(i -> eigen.getEigenvalue(i).getReal() > PRECISION * largest)
                    .boxed()
                    .sorted(Comparator.comparingDouble(i -> -eigen.getEigenvalue(i).getReal()))
                    .limit(maxCount)
                    .mapToInt(Integer::intValue)
                    .toArray();
            List<DMatrixRMaj> vectors = Arrays.stream(order).mapToObj(eigen::getEigenVector).toList();
            return new Eigenvectors(Arrays.stream(order).mapToDouble(i -> eigen.getEigenvalue(i).getReal()).toArray(),
                    Tensor.generate(Shape.of(size, order.length),
                            i -> vectors.get(i % order.length).get(i / order.length)));
        }
    }
}

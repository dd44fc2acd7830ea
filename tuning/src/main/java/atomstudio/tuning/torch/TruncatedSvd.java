package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Random;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.SingularOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.QRDecomposition;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;

/// The leading singular values and vectors of a matrix, A ≈ U · diag(s) · Vᵀ, by randomized subspace iteration. Exact
/// if the rank is not below that of the matrix. Products with the matrix are computed by PyTorch, those of the small
/// factors in double precision.
/// Source: Halko, Martinsson and Tropp 2011, "Finding structure with randomness", algorithms 4.4 and 5.1.
/// @param values      largest first
/// @param left        (M, r), orthonormal columns
/// @param right       (r, N), orthonormal rows
/// @param squaredNorm of the matrix: the sum of the squares of all its singular values
public record TruncatedSvd(double[] values, Tensor left, Tensor right, double squaredNorm) {
    private static final int OVERSAMPLING = 8;
    private static final int ITERATIONS = 2;

    /// @param matrix (M, N)
    static TruncatedSvd of(Torch torch, Tensor matrix, int maxRank) {
        int rows = Math.toIntExact(matrix.shape().size(0)), columns = Math.toIntExact(matrix.shape().size(1));
        int size = Math.min(Math.min(rows, columns), maxRank + OVERSAMPLING);
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            NDArray a = torch.array(matrix), transposed = a.transpose();
            Random random = new Random(0); // the seed is fixed so that equal adapters give equal files
            DMatrixRMaj basis = orthonormal(product(torch, a,
                    Tensor.generate(Shape.of(columns, size), _ -> random.nextGaussian())));
            for (int i = 0; i < ITERATIONS; i++)
                basis = orthonormal(product(torch, a, tensor(orthonormal(product(torch, transposed, tensor(basis))))));
            // B = QᵀA, (size, N): Bᵀ = P · R, and R = X · diag(s) · Yᵀ gives A ≈ (Q · Y) · diag(s) · (P · X)ᵀ.
            DMatrixRMaj projected = product(torch, transposed, tensor(basis));
            QRDecomposition<DMatrixRMaj> qr = DecompositionFactory_DDRM.qr(columns, size);
            if (!qr.decompose(projected)) throw new IllegalArgumentException("matrix: has no QR decomposition");
            SingularValueDecomposition_F64<DMatrixRMaj> svd = DecompositionFactory_DDRM.svd(size, size, true, true,
                    true);
            if (!svd.decompose(qr.getR(null, true)))
                throw new IllegalArgumentException("matrix: has no singular value decomposition");
            DMatrixRMaj x = svd.getU(null, false), y = svd.getV(null, true);
            DMatrixRMaj diagonal = svd.getW(null);
            SingularOps_DDRM.descendingOrder(x, false, diagonal, y, true);
            int rank = Math.min(size, maxRank);
            double[] values = new double[rank];
            for (int i = 0; i < rank; i++) values[i] = diagonal.get(i, i);
            DMatrixRMaj left = new DMatrixRMaj(rows, size), right = new DMatrixRMaj(size, columns);
            CommonOps_DDRM.multTransB(basis, y, left);
            CommonOps_DDRM.multTransAB(x, qr.getQ(null, true), right);
            return new TruncatedSvd(values, tensor(CommonOps_DDRM.extract(left, 0, rows, 0, rank)),
                    tensor(CommonOps_DDRM.extract(right, 0, rank, 0, columns)), matrix.squaredNorm());
        }
    }

    private static DMatrixRMaj product(Torch torch, NDArray a, Tensor b) {
        Tensor product = torch.tensor(a.matMul(torch.array(b)));
        DMatrixRMaj matrix = new DMatrixRMaj(Math.toIntExact(product.shape().size(0)),
                Math.toIntExact(product.shape().size(1)));
        for (int i = 0; i < matrix.data.length; i++) matrix.data[i] = product.data()[i];
        return matrix;
    }

    private static DMatrixRMaj orthonormal(DMatrixRMaj matrix) {
        QRDecomposition<DMatrixRMaj> qr = DecompositionFactory_DDRM.qr(matrix.numRows, matrix.numCols);
        if (!qr.decompose(matrix)) throw new IllegalArgumentException("matrix: has no QR decomposition");
        return qr.getQ(null, true);
    }

    private static Tensor tensor(DMatrixRMaj matrix) {
        return Tensor.generate(Shape.of(matrix.numRows, matrix.numCols), i -> matrix.data[i]);
    }
}

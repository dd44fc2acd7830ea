package atomstudio.tuning.interop;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// Products of an adapter's factors, computed once when a file is read.
final class FactorMath {
    private FactorMath() {}

    /// Contracts a core (r, q, …) with a factor (q, C) to (r, C·…), with the core's trailing (kernel) axes innermost.
    static Tensor contractCore(Tensor core, Tensor factor) {
        int out = axisSize(core.shape(), 0), inner = axisSize(core.shape(), 1);
        int kernel = core.data().length / out / inner, columns = factor.data().length / inner;
        if (factor.shape().size(0) != inner)
            throw new IllegalArgumentException(
                    "expected a core and a factor with matching ranks, found " + core.shape() + " and "
                            + factor.shape());
        Tensor contracted = Tensor.zeros(Shape.of(out, (long) columns * kernel));
        for (int i = 0; i < out; i++)
            for (int j = 0; j < inner; j++) for (int c = 0; c < columns; c++) for (int k = 0; k < kernel; k++) {
                contracted.data()[(i * columns + c) * kernel + k] += core.data()[(i * inner + j) * kernel + k]
                        * factor.data()[j * columns + c];
            }
        return contracted;
    }

    /// (N, K) · (K, M); all axes after the first count as columns.
    static Tensor matmul(Tensor a, Tensor b) {
        int rows = axisSize(a.shape(), 0), inner = axisSize(b.shape(), 0), columns = b.data().length / inner;
        if (a.data().length != rows * inner)
            throw new IllegalArgumentException(
                    "expected two factors with matching ranks, found " + a.shape() + " and " + b.shape());
        Tensor product = Tensor.zeros(Shape.of(rows, columns));
        for (int i = 0; i < rows; i++) for (int j = 0; j < inner; j++) for (int c = 0; c < columns; c++) {
            product.data()[i * columns + c] += a.data()[i * inner + j] * b.data()[j * columns + c];
        }
        return product;
    }

    static Tensor transpose(Tensor matrix) {
        int rows = axisSize(matrix.shape(), 0), columns = matrix.data().length / rows;
        Tensor transposed = Tensor.zeros(Shape.of(columns, rows));
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) transposed.data()[j * rows + i] = matrix.data()[i * columns + j];
        return transposed;
    }

    /// @throws IllegalArgumentException if the element counts differ
    static Tensor reshape(Tensor tensor, Shape shape, String name) {
        if (tensor.shape().elements() != shape.elements())
            throw new IllegalArgumentException(name + ": expected " + shape + ", found " + tensor.shape());
        return tensor.reshape(shape);
    }

    private static int axisSize(Shape shape, int axis) {
        if (shape.rank() <= axis || shape.size(axis) == 0)
            throw new IllegalArgumentException("expected a matrix, found " + shape);
        return Math.toIntExact(shape.size(axis));
    }
}

package atomstudio.tuning.foreign;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// Small products that are made once, when a file is read.
final class Folding {
    private Folding() {}

    /// A core (r,q,…) over a factor (q,C): (r, C·…), the core's own axes innermost, as a kernel's are.
    static Tensor core(Tensor core, Tensor factor) {
        int out = size(core.shape(), 0), inner = size(core.shape(), 1);
        int kernel = core.data().length / out / inner, columns = factor.data().length / inner;
        if (factor.shape().size(0) != inner) throw new IllegalArgumentException("expected a core and a factor that fit, found " + core.shape() + " and " + factor.shape());
        Tensor folded = Tensor.zeros(Shape.of(out, (long) columns * kernel));
        for (int i = 0; i < out; i++) for (int j = 0; j < inner; j++) for (int c = 0; c < columns; c++) for (int k = 0; k < kernel; k++) {
            folded.data()[(i * columns + c) * kernel + k] += core.data()[(i * inner + j) * kernel + k] * factor.data()[j * columns + c];
        }
        return folded;
    }

    /// (N,K) · (K,M), all that follows the first axis taken as columns.
    static Tensor product(Tensor a, Tensor b) {
        int rows = size(a.shape(), 0), inner = size(b.shape(), 0), columns = b.data().length / inner;
        if (a.data().length != rows * inner) throw new IllegalArgumentException("expected two factors that fit, found " + a.shape() + " and " + b.shape());
        Tensor product = Tensor.zeros(Shape.of(rows, columns));
        for (int i = 0; i < rows; i++) for (int j = 0; j < inner; j++) for (int c = 0; c < columns; c++) {
            product.data()[i * columns + c] += a.data()[i * inner + j] * b.data()[j * columns + c];
        }
        return product;
    }

    static Tensor transposed(Tensor matrix) {
        int rows = size(matrix.shape(), 0), columns = matrix.data().length / rows;
        Tensor transposed = Tensor.zeros(Shape.of(columns, rows));
        for (int i = 0; i < rows; i++) for (int j = 0; j < columns; j++) transposed.data()[j * rows + i] = matrix.data()[i * columns + j];
        return transposed;
    }

    static Tensor scaled(Tensor tensor, double by) {
        float[] data = tensor.data().clone();
        for (int i = 0; i < data.length; i++) data[i] *= (float) by;
        return new Tensor(tensor.shape(), data);
    }

    /// The same numbers in a shape of as many.
    static Tensor as(Tensor tensor, Shape shape, String name) {
        if (tensor.shape().elements() != shape.elements()) throw new IllegalArgumentException(name + ": expected " + shape + ", found " + tensor.shape());
        return tensor.reshape(shape);
    }

    private static int size(Shape shape, int axis) {
        if (shape.rank() <= axis || shape.size(axis) == 0) throw new IllegalArgumentException("expected a matrix, found " + shape);
        return Math.toIntExact(shape.size(axis));
    }
}

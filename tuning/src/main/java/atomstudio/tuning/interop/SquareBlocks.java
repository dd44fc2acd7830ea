package atomstudio.tuning.interop;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;

/// Square matrices of one size, row-major one after the other: the blocks of a block-diagonal matrix.
record SquareBlocks(int side, double[] values) {
    /// Larger matrices would take minutes to invert.
    private static final int MAX_SIDE = 4096;

    /// The blocks of a tensor (…, b, b).
    /// @throws IllegalArgumentException if it has another shape
    static SquareBlocks of(String name, Tensor tensor) {
        Shape shape = tensor.shape();
        if (shape.rank() < 3 || shape.size(-1) != shape.size(-2) || shape.elements() == 0 || shape.size(-1) > MAX_SIDE)
            throw new IllegalArgumentException(name + ": expected square blocks, found " + shape);
        double[] values = new double[tensor.data().length];
        for (int i = 0; i < values.length; i++) values[i] = tensor.data()[i];
        return new SquareBlocks(Math.toIntExact(shape.size(-1)), values);
    }

    /// Skew-symmetric blocks from the elements above the diagonals, (n, b(b−1)/2).
    static SquareBlocks skewSymmetric(String name, Tensor elements) {
        Shape shape = elements.shape();
        int count = shape.rank() == 2 ? Math.toIntExact(shape.size(1)) : 0;
        int b = (int) Math.round((1 + Math.sqrt(1 + 8.0 * count)) / 2);
        if (count == 0 || b * (b - 1) / 2 != count || b > MAX_SIDE)
            throw new IllegalArgumentException(name + ": expected rows of b(b−1)/2 elements, found " + shape);
        double[] values = new double[Math.multiplyExact(Math.toIntExact(shape.size(0)), b * b)];
        int next = 0;
        for (int start = 0; start < values.length; start += b * b)
            for (int i = 0; i < b; i++) for (int j = i + 1; j < b; j++) {
                values[start + i * b + j] = elements.data()[next];
                values[start + j * b + i] = -elements.data()[next++];
            }
        return new SquareBlocks(b, values);
    }

    int count() {
        return values.length / (side * side);
    }

    Tensor toTensor(Shape shape) {
        return Tensor.generate(shape, i -> values[i]);
    }

    /// The elements above the diagonals by rows, (n, b(b−1)/2).
    Tensor aboveDiagonals() {
        Tensor elements = Tensor.zeros(Shape.of(count(), side * (side - 1L) / 2));
        int next = 0;
        for (int start = 0; start < values.length; start += side * side)
            for (int i = 0; i < side; i++)
                for (int j = i + 1; j < side; j++) elements.data()[next++] = (float) values[start + i * side + j];
        return elements;
    }

    SquareBlocks part(int first, int number) {
        int size = side * side;
        return new SquareBlocks(side, Arrays.copyOfRange(values, first * size, (first + number) * size));
    }

    /// The only block, several times.
    SquareBlocks repeated(int times) {
        double[] all = new double[Math.multiplyExact(values.length, times)];
        for (int i = 0; i < times; i++) System.arraycopy(values, 0, all, i * values.length, values.length);
        return new SquareBlocks(side, all);
    }

    SquareBlocks scaled(double factor) {
        return new SquareBlocks(side, Arrays.stream(values).map(value -> factor * value).toArray());
    }

    /// Larger norms of single blocks are reduced to the limit.
    SquareBlocks withNormsUpTo(double limit) {
        double[] limited = values.clone();
        int size = side * side;
        for (int start = 0; start < values.length; start += size) {
            double norm = Math.sqrt(Arrays.stream(values, start, start + size).map(value -> value * value).sum());
            if (norm > limit) for (int i = start; i < start + size; i++) limited[i] *= limit / norm;
        }
        return new SquareBlocks(side, limited);
    }

    /// A − Aᵀ.
    SquareBlocks minusTranspose() {
        return plus(-1, mapIndices((i, j) -> new int[] {j, i}));
    }

    /// The same matrices for channels that are stored as two halves, where these alternate: LyCORIS' BOFT.
    SquareBlocks withHalvesOneAfterTheOther() {
        int half = side / 2;
        return mapIndices((i, j) -> new int[] {i % half * 2 + i / half, j % half * 2 + j / half});
    }

    /// (I − Q)⁻¹(I + Q) of skew-symmetric Q, by elimination without pivoting: the symmetric part of I − Q is I.
    SquareBlocks cayley() {
        double[] result = new double[values.length];
        for (int start = 0; start < values.length; start += side * side) cayley(start, result);
        return new SquareBlocks(side, result);
    }

    private void cayley(int start, double[] result) {
        double[][] a = new double[side][2 * side];
        for (int i = 0; i < side; i++) for (int j = 0; j < side; j++) {
            double q = values[start + i * side + j], identity = i == j ? 1 : 0;
            a[i][j] = identity - q;
            a[i][side + j] = identity + q;
        }
        for (int column = 0; column < side; column++) {
            double[] pivot = a[column];
            for (int k = 2 * side - 1; k >= column; k--) pivot[k] /= pivot[column];
            for (int row = 0; row < side; row++) {
                double factor = a[row][column];
                if (row == column || factor == 0) continue;
                for (int k = column; k < 2 * side; k++) a[row][k] -= factor * pivot[k];
            }
        }
        for (int i = 0; i < side; i++) System.arraycopy(a[i], side, result, start + i * side, side);
    }

    /// I + 2Q + 2Q² + … + Qⁿ⁻¹: peft's approximation of the Cayley transform with n terms, 4 where n is 3.
    SquareBlocks cayleyNeumann(int terms) {
        int last = terms < 3 ? terms : Math.max(3, terms - 1);
        SquareBlocks sum = identity(), power = sum;
        for (int exponent = 1; exponent <= last && exponent < Math.max(terms, 4); exponent++) {
            power = power.times(this);
            sum = sum.plus(exponent == last ? 1 : 2, power);
        }
        return sum;
    }

    private SquareBlocks identity() {
        return mapEach((i, j, _) -> i == j ? 1 : 0);
    }

    private SquareBlocks times(SquareBlocks other) {
        double[] product = new double[values.length];
        for (int start = 0; start < values.length; start += side * side)
            for (int i = 0; i < side; i++) for (int k = 0; k < side; k++) {
                double factor = values[start + i * side + k];
                for (int j = 0; j < side; j++)
                    product[start + i * side + j] += factor * other.values[start + k * side + j];
            }
        return new SquareBlocks(side, product);
    }

    private SquareBlocks plus(double factor, SquareBlocks other) {
        double[] sum = values.clone();
        for (int i = 0; i < sum.length; i++) sum[i] += factor * other.values[i];
        return new SquareBlocks(side, sum);
    }

    private SquareBlocks mapIndices(IndexMap source) {
        return mapEach((i, j, start) -> {
            int[] from = source.of(i, j);
            return values[start + from[0] * side + from[1]];
        });
    }

    private SquareBlocks mapEach(ElementMap element) {
        double[] mapped = new double[values.length];
        for (int start = 0; start < values.length; start += side * side)
            for (int i = 0; i < side; i++)
                for (int j = 0; j < side; j++) mapped[start + i * side + j] = element.of(i, j, start);
        return new SquareBlocks(side, mapped);
    }

    private interface IndexMap {
        int[] of(int row, int column);
    }

    private interface ElementMap {
        double of(int row, int column, int start);
    }
}

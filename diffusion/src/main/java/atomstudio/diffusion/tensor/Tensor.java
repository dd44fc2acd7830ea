package atomstudio.diffusion.tensor;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.IntToDoubleFunction;

/// A float32 tensor on the Java heap, row-major: latents, noise, embeddings, images between networks.
/// The constructor takes ownership of the array; it is not copied. Arithmetic is in double precision and rounds once
/// per operation, so that products, sums and quotients of two float32 values equal those of float32 arithmetic.
public record Tensor(Shape shape, float[] data) {
    public Tensor {
        if (shape.elements() != data.length) {
            throw new IllegalArgumentException(
                    "tensor of shape " + shape + ": expected " + shape.elements() + " elements, found " + data.length);
        }
    }

    public static Tensor zeros(Shape shape) {
        return new Tensor(shape, new float[Math.toIntExact(shape.elements())]);
    }

    public static Tensor filled(Shape shape, float value) {
        Tensor tensor = zeros(shape);
        Arrays.fill(tensor.data, value);
        return tensor;
    }

    /// A tensor whose elements are computed from their indices.
    public static Tensor generate(Shape shape, IntToDoubleFunction value) {
        Tensor tensor = zeros(shape);
        for (int i = 0; i < tensor.data.length; i++) tensor.data[i] = (float) value.applyAsDouble(i);
        return tensor;
    }

    public Tensor reshape(Shape shape) {
        return new Tensor(shape, data);
    }

    /// A function of each element.
    public Tensor map(DoubleUnaryOperator function) {
        return generate(shape, i -> function.applyAsDouble(data[i]));
    }

    /// A function of each element and that of another tensor of this shape.
    public Tensor zip(Tensor other, DoubleBinaryOperator function) {
        if (!shape.equals(other.shape))
            throw new IllegalArgumentException("expected equal shapes, found " + shape + " and " + other.shape);
        return generate(shape, i -> function.applyAsDouble(data[i], other.data[i]));
    }

    /// x + a · y.
    public static Tensor add(Tensor x, double a, Tensor y) {
        return x.zip(y, (left, right) -> left + a * right);
    }

    /// a · x + b · y.
    public static Tensor weightedSum(double a, Tensor x, double b, Tensor y) {
        return x.zip(y, (left, right) -> a * left + b * right);
    }

    public Tensor scaled(double factor) {
        return map(value -> factor * value);
    }

    /// Limits all elements to -limit..limit.
    public Tensor clamped(double limit) {
        return map(value -> Math.clamp(value, -limit, limit));
    }

    public double sum() {
        double sum = 0;
        for (float value : data) sum += value;
        return sum;
    }

    /// The sum of the squares of all elements.
    public double squaredNorm() {
        double sum = 0;
        for (float value : data) sum += (double) value * value;
        return sum;
    }

    /// Over all elements, with Bessel's correction (n - 1).
    public double standardDeviation() {
        double mean = sum() / data.length;
        double squares = 0;
        for (float value : data) squares += (value - mean) * (value - mean);
        return Math.sqrt(squares / (data.length - 1));
    }

    /// Rows `from` (inclusive) to `to` (exclusive) of the first axis, copied.
    public Tensor rows(int from, int to) {
        int row = data.length / Math.toIntExact(shape.size(0));
        return new Tensor(shape.with(0, to - from), Arrays.copyOfRange(data, from * row, to * row));
    }

    /// The same `times` times along the first axis.
    public Tensor repeated(int times) {
        return times == 1 ? this : concatenate(Collections.nCopies(times, this).toArray(Tensor[]::new));
    }

    /// Matrices (N, rᵢ) or (N, rᵢ, 1, 1) side by side.
    public static Tensor concatenateColumns(List<Tensor> parts) {
        int rows = Math.toIntExact(parts.getFirst().shape.size(0));
        int width = parts.stream().mapToInt(part -> Math.toIntExact(part.shape.size(1))).sum();
        float[] joined = new float[rows * width];
        int first = 0;
        for (Tensor part : parts) {
            int columns = Math.toIntExact(part.shape.size(1));
            for (int row = 0; row < rows; row++)
                System.arraycopy(part.data, row * columns, joined, row * width + first, columns);
            first += columns;
        }
        return new Tensor(parts.getFirst().shape.with(1, width), joined);
    }

    /// Concatenates tensors of equal trailing shape along the first axis.
    public static Tensor concatenate(Tensor... tensors) {
        int total = 0;
        long rows = 0;
        for (Tensor tensor : tensors) {
            if (!tensor.shape.with(0, 1).equals(tensors[0].shape.with(0, 1))) {
                throw new IllegalArgumentException(
                        "concatenate: expected the trailing shape of " + tensors[0].shape + ", found " + tensor.shape);
            }
            total += tensor.data.length;
            rows += tensor.shape.size(0);
        }
        float[] all = new float[total];
        int at = 0;
        for (Tensor tensor : tensors) {
            System.arraycopy(tensor.data, 0, all, at, tensor.data.length);
            at += tensor.data.length;
        }
        return new Tensor(tensors[0].shape.with(0, rows), all);
    }

    /// Whether no element is NaN or infinite.
    public boolean isFinite() {
        for (float value : data) if (!Float.isFinite(value)) return false;
        return true;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Tensor tensor && shape.equals(tensor.shape) && Arrays.equals(data, tensor.data);
    }

    @Override
    public int hashCode() {
        return 31 * shape.hashCode() + Arrays.hashCode(data);
    }

    @Override
    public String toString() {
        return "Tensor" + shape;
    }
}

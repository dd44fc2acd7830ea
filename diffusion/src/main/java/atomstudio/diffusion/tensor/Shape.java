package atomstudio.diffusion.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/// Sizes of a tensor's axes, outermost first; `()` is a scalar.
public record Shape(long... sizes) {
    public Shape {
        sizes = sizes.clone();
        for (long size : sizes) {
            if (size < 0)
                throw new IllegalArgumentException("shape " + Arrays.toString(sizes) + ": a size is negative");
        }
    }

    public static Shape of(long... sizes) {
        return new Shape(sizes);
    }

    /// A copy of the sizes.
    @Override
    public long[] sizes() {
        return sizes.clone();
    }

    public int rank() {
        return sizes.length;
    }

    /// Size of an axis; negative axes count from the end, -1 is the last.
    public long size(int axis) {
        return sizes[axis < 0 ? axis + sizes.length : axis];
    }

    /// Number of elements.
    /// @throws ArithmeticException when it exceeds 2^63 - 1
    public long elements() {
        long n = 1;
        for (long size : sizes) n = Math.multiplyExact(n, size);
        return n;
    }

    /// This shape with the size of one axis replaced; negative axes count from the end.
    public Shape with(int axis, long size) {
        long[] changed = sizes.clone();
        changed[axis < 0 ? axis + sizes.length : axis] = size;
        return new Shape(changed);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(sizes, shape.sizes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(sizes);
    }

    @Override
    public String toString() {
        return Arrays.stream(sizes).mapToObj(Long::toString).collect(Collectors.joining(",", "(", ")"));
    }
}

package atomstudio.diffusion.tensor;

import java.util.Arrays;

/// A float32 tensor on the Java heap, row-major: latents, noise, embeddings, pictures between networks.
/// The array is shared, not copied: whoever makes a tensor hands the array over.
public record Tensor(Shape shape, float[] data) {
    public Tensor {
        if (shape.elements() != data.length) {
            throw new IllegalArgumentException("tensor of shape " + shape + ": expected " + shape.elements() + " numbers, found " + data.length);
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

    public Tensor reshape(Shape to) {
        return new Tensor(to, data);
    }

    /// Rows `from` (inclusive) to `to` (exclusive) of the first axis, copied.
    public Tensor rows(int from, int to) {
        int row = data.length / Math.toIntExact(shape.size(0));
        return new Tensor(shape.with(0, to - from), Arrays.copyOfRange(data, from * row, to * row));
    }

    /// Stacks tensors of equal trailing shape along the first axis.
    public static Tensor stack(Tensor... parts) {
        int total = 0;
        long rows = 0;
        for (Tensor part : parts) {
            if (!part.shape.with(0, 1).equals(parts[0].shape.with(0, 1))) {
                throw new IllegalArgumentException("stack: " + part.shape + " beside " + parts[0].shape);
            }
            total += part.data.length;
            rows += part.shape.size(0);
        }
        float[] all = new float[total];
        int at = 0;
        for (Tensor part : parts) {
            System.arraycopy(part.data, 0, all, at, part.data.length);
            at += part.data.length;
        }
        return new Tensor(parts[0].shape.with(0, rows), all);
    }

    @Override public boolean equals(Object other) {
        return other instanceof Tensor tensor && shape.equals(tensor.shape) && Arrays.equals(data, tensor.data);
    }

    @Override public int hashCode() {
        return 31 * shape.hashCode() + Arrays.hashCode(data);
    }

    @Override public String toString() {
        return "Tensor" + shape;
    }
}

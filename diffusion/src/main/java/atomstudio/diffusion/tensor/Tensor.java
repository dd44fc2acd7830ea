package atomstudio.diffusion.tensor;

import java.util.Arrays;

/// A float32 tensor on the Java heap, row-major: latents, noise, embeddings, images between networks.
/// The constructor takes ownership of the array; it is not copied.
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

    public Tensor reshape(Shape shape) {
        return new Tensor(shape, data);
    }

    /// This tensor times a factor, copied.
    public Tensor scaled(double factor) {
        float[] scaled = data.clone();
        for (int i = 0; i < scaled.length; i++) scaled[i] *= (float) factor;
        return new Tensor(shape, scaled);
    }

    /// Rows `from` (inclusive) to `to` (exclusive) of the first axis, copied.
    public Tensor rows(int from, int to) {
        int row = data.length / Math.toIntExact(shape.size(0));
        return new Tensor(shape.with(0, to - from), Arrays.copyOfRange(data, from * row, to * row));
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

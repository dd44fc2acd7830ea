package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import org.jspecify.annotations.Nullable;

/// A layer's numbers: weight, and bias where it has one. Convolution, linear, norm and embedding alike.
/// @param mixing for a convolution whose kernels are still to be changed, each by its own numbers times a matrix:
///               the weight that counts is W + unfold(W) · mixing, (k²,k²) for all channels or (Ci,k²,k²) for each input channel
public record Affine<T>(T weight, @Nullable T bias, @Nullable T mixing) {
    public Affine(T weight, @Nullable T bias) {
        this(weight, bias, null);
    }

    /// The same layer with the mixing multiplied out.
    public Affine<T> settled(Ops<T> ops) {
        if (mixing == null) return this;
        Shape shape = ops.shape(weight);
        long out = shape.size(0), in = shape.size(1), size = shape.elements() / out / in;
        T change = ops.shape(mixing).rank() == 2
                ? ops.matmul(ops.reshape(weight, Shape.of(out * in, size)), mixing)
                : ops.permute(ops.matmul(ops.permute(ops.reshape(weight, Shape.of(out, in, size)), 1, 0, 2), mixing), 1, 0, 2);
        return new Affine<>(ops.add(weight, ops.reshape(change, shape)), bias);
    }
}

package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A layer's weight and bias, possibly with a change that is not computed yet.
/// @param kernelTransform a pending change of the kernels by a matrix M: the effective weight is W + unfold(W) · M. M
///     is (k², k²) for all channels, or (Ci, k², k²) with a matrix per input channel, of all groups of a grouped
///     convolution. For 1×1 kernels and linear
///     layers it is (b², b²) and acts on blocks of b output × b input channels, flattened row-major
/// @param deferred any other pending change: computes the effective layer, again on every call
public record LayerWeights<T>(T weight, @Nullable T bias, @Nullable T kernelTransform,
        @Nullable Supplier<LayerWeights<T>> deferred) {
    public LayerWeights(T weight, @Nullable T bias) {
        this(weight, bias, null, null);
    }

    public LayerWeights(T weight, @Nullable T bias, @Nullable T kernelTransform) {
        this(weight, bias, kernelTransform, null);
    }

    /// The effective layer, with a pending change computed.
    public LayerWeights<T> materialized(Ops<T> ops) {
        if (deferred != null) return deferred.get();
        if (kernelTransform == null) return this;
        Shape shape = ops.shape(weight);
        long outChannels = shape.size(0), inChannels = shape.size(1),
                kernelElements = shape.elements() / outChannels / inChannels;
        if (hasBlockTransform(ops))
            return new LayerWeights<>(ops.add(weight, ops.reshape(blockDelta(ops, kernelTransform), shape)), bias);
        T delta = ops.shape(kernelTransform).rank() == 2
                ? ops.matmul(ops.reshape(weight, Shape.of(outChannels * inChannels, kernelElements)), kernelTransform)
                : ops.shape(kernelTransform).size(0) == inChannels
                        ? ops.permute(ops.matmul(
                                ops.permute(ops.reshape(weight, Shape.of(outChannels, inChannels, kernelElements)), 1,
                                        0, 2),
                                kernelTransform), 1, 0, 2)
                : groupedDelta(ops, kernelTransform);
        return new LayerWeights<>(ops.add(weight, ops.reshape(delta, shape)), bias);
    }

    /// W[o,i] · M_c, where c is the i-th input channel of output channel o's group.
    private T groupedDelta(Ops<T> ops, T transform) {
        Shape shape = ops.shape(weight);
        long inputs = ops.shape(transform).size(0), perGroup = shape.size(1), groups = inputs / perGroup,
                outputs = shape.size(0) / groups, kernelElements = shape.size(2) * shape.size(3);
        T kernels = ops.permute(ops.reshape(weight, Shape.of(groups, outputs, perGroup, kernelElements)), 0, 2, 1, 3);
        T delta = ops.matmul(ops.reshape(kernels, Shape.of(inputs, outputs, kernelElements)), transform);
        return ops.permute(ops.reshape(delta, Shape.of(groups, perGroup, outputs, kernelElements)), 0, 2, 1, 3);
    }

    /// Whether the effective weight has to be computed; a transform of larger kernels may act on activations instead.
    public boolean needsMaterializing(Ops<T> ops) {
        return deferred != null || hasBlockTransform(ops);
    }

    /// Whether the kernel transform acts on channel blocks.
    public boolean hasBlockTransform(Ops<T> ops) {
        Shape shape = ops.shape(weight);
        return kernelTransform != null && ops.shape(kernelTransform).rank() == 2
                && shape.elements() == shape.size(0) * shape.size(1);
    }

    /// fold(unfold(W) · M), computed transposed with a column per block, whose gather is faster (docs/performance.md).
    private T blockDelta(Ops<T> ops, T transform) {
        long side = blockSide(ops.shape(transform)), rows = ops.shape(weight).size(0) / side,
                columns = ops.shape(weight).size(1) / side;
        T blocks = ops.permute(ops.reshape(weight, Shape.of(rows, side, columns, side)), 1, 3, 0, 2);
        T delta = ops.matmul(ops.permute(transform, 1, 0), ops.reshape(blocks, Shape.of(side * side, rows * columns)));
        return ops.permute(ops.reshape(delta, Shape.of(side, side, rows, columns)), 2, 0, 3, 1);
    }

    /// The block size b of a transform (b², b²).
    public static long blockSide(Shape transform) {
        return Math.round(Math.sqrt(transform.size(-1)));
    }
}

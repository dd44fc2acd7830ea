package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A layer's numbers: weight, and bias where it has one. Convolution, linear, norm and embedding alike.
/// @param kernelTransform for a layer whose kernels are still to be changed, each by its own numbers times a matrix:
///     the weight that counts is W + unfold(W) · mixing, (k²,k²) for all channels or (Ci,k²,k²) for each input
///     channel. Where a kernel is one number, (b²,b²) mixes blocks of b outputs × b inputs, whose numbers are taken
///     row by row
/// @param deferred for a layer that is still to be changed in any other way: computes it, each time anew, from the
///     weight and bias here
public record LayerWeights<T>(T weight, @Nullable T bias, @Nullable T kernelTransform,
        @Nullable Supplier<LayerWeights<T>> deferred) {
    public LayerWeights(T weight, @Nullable T bias) {
        this(weight, bias, null, null);
    }

    public LayerWeights(T weight, @Nullable T bias, @Nullable T kernelTransform) {
        this(weight, bias, kernelTransform, null);
    }

    /// The same layer with its change computed.
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
                : ops.permute(ops.matmul(
                        ops.permute(ops.reshape(weight, Shape.of(outChannels, inChannels, kernelElements)), 1, 0, 2),
                        kernelTransform), 1, 0, 2);
        return new LayerWeights<>(ops.add(weight, ops.reshape(delta, shape)), bias);
    }

    /// Whether the weight that counts must be made. The mixing of larger kernels may act on activations instead.
    public boolean needsMaterializing(Ops<T> ops) {
        return deferred != null || hasBlockTransform(ops);
    }

    /// Whether the mixing is one of channel blocks.
    public boolean hasBlockTransform(Ops<T> ops) {
        Shape shape = ops.shape(weight);
        return kernelTransform != null && ops.shape(kernelTransform).rank() == 2
                && shape.elements() == shape.size(0) * shape.size(1);
    }

    /// unfold(W) · mixing, folded again; turned round, with a column for each block, since numbers are gathered
    /// faster so (docs/performance.md).
    private T blockDelta(Ops<T> ops, T transform) {
        long side = blockSide(ops.shape(transform)), rows = ops.shape(weight).size(0) / side,
                columns = ops.shape(weight).size(1) / side;
        T blocks = ops.permute(ops.reshape(weight, Shape.of(rows, side, columns, side)), 1, 3, 0, 2);
        T delta = ops.matmul(ops.permute(transform, 1, 0), ops.reshape(blocks, Shape.of(side * side, rows * columns)));
        return ops.permute(ops.reshape(delta, Shape.of(side, side, rows, columns)), 2, 0, 3, 1);
    }

    /// The side b of the blocks that a matrix (b²,b²) mixes.
    public static long blockSide(Shape transform) {
        return Math.round(Math.sqrt(transform.size(-1)));
    }
}

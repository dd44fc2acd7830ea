package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A layer's numbers: weight, and bias where it has one. Convolution, linear, norm and embedding alike.
/// @param mixing for a layer whose kernels are still to be changed, each by its own numbers times a matrix: the weight that counts is
///               W + unfold(W) · mixing, (k²,k²) for all channels or (Ci,k²,k²) for each input channel. Where a kernel is one number,
///               (b²,b²) mixes blocks of b outputs × b inputs, whose numbers are taken row by row
/// @param tuned  for a layer that is still to be changed in any other way: computes it, each time anew, from the weight and bias here
public record Affine<T>(T weight, @Nullable T bias, @Nullable T mixing, @Nullable Supplier<Affine<T>> tuned) {
    public Affine(T weight, @Nullable T bias) {
        this(weight, bias, null, null);
    }

    public Affine(T weight, @Nullable T bias, @Nullable T mixing) {
        this(weight, bias, mixing, null);
    }

    /// The same layer with its change computed.
    public Affine<T> settled(Ops<T> ops) {
        if (tuned != null) return tuned.get();
        if (mixing == null) return this;
        Shape shape = ops.shape(weight);
        long out = shape.size(0), in = shape.size(1), size = shape.elements() / out / in;
        if (mixesBlocks(ops)) return new Affine<>(ops.add(weight, ops.reshape(mixedBlocks(ops, mixing), shape)), bias);
        T change = ops.shape(mixing).rank() == 2
                ? ops.matmul(ops.reshape(weight, Shape.of(out * in, size)), mixing)
                : ops.permute(ops.matmul(ops.permute(ops.reshape(weight, Shape.of(out, in, size)), 1, 0, 2), mixing), 1, 0, 2);
        return new Affine<>(ops.add(weight, ops.reshape(change, shape)), bias);
    }

    /// Whether the weight that counts must be made. The mixing of larger kernels may act on activations instead.
    public boolean toBeMade(Ops<T> ops) {
        return tuned != null || mixesBlocks(ops);
    }

    /// Whether the mixing is one of channel blocks.
    public boolean mixesBlocks(Ops<T> ops) {
        Shape shape = ops.shape(weight);
        return mixing != null && ops.shape(mixing).rank() == 2 && shape.elements() == shape.size(0) * shape.size(1);
    }

    /// unfold(W) · mixing, folded again; turned round, with a column for each block, since numbers are gathered faster so (docs/performance.md).
    private T mixedBlocks(Ops<T> ops, T mixing) {
        long side = blockSide(ops.shape(mixing)), rows = ops.shape(weight).size(0) / side, columns = ops.shape(weight).size(1) / side;
        T blocks = ops.permute(ops.reshape(weight, Shape.of(rows, side, columns, side)), 1, 3, 0, 2);
        T change = ops.matmul(ops.permute(mixing, 1, 0), ops.reshape(blocks, Shape.of(side * side, rows * columns)));
        return ops.permute(ops.reshape(change, Shape.of(side, side, rows, columns)), 2, 0, 3, 1);
    }

    /// The side b of the blocks that a matrix (b²,b²) mixes.
    public static long blockSide(Shape mixing) {
        return Math.round(Math.sqrt(mixing.size(-1)));
    }
}

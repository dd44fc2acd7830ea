package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Slots;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// Channel atoms D_c of every 1×1 convolution and linear layer whose sides are multiples of `block`: W is cut into block × block
/// channel blocks, W = Σ_q A_q ⊗ D_c[q]; the A stay, ΔD_c (atoms, block²) is tuned. Blocks and their entries are taken row by row.
/// Source: Chen, Miao, Qiu 2025, figure of the decomposition, panel (3), with linear coding.
public record ChannelAtoms(int block, int atoms) implements TuningMethod {
    public ChannelAtoms {
        if (block < 2) {
            throw new IllegalArgumentException("channel block: expected at least 2, found " + block + "; blocks of 1 would leave one number that scales the whole layer");
        }
        new Coding(atoms, block * block);
    }

    @Override public String name() {
        return "channels";
    }

    @Override public List<Slot> slots(Layer layer) {
        return matrix(layer) && divides(layer) ? coding().slots(this::unfold) : List.of();
    }

    @Override public boolean leavesAlone(Layer layer) {
        return matrix(layer) && !divides(layer);
    }

    private static boolean matrix(Layer layer) {
        return layer.maps() && layer.kernel() == 1;
    }

    private boolean divides(Layer layer) {
        return layer.weight().size(0) % block == 0 && layer.weight().size(1) % block == 0;
    }

    @Override public <T> Affine<T> effective(Ops<T> ops, Layer layer, Affine<T> base, Slots<T> theta, T strength) {
        long rows = layer.weight().size(0) / block, columns = layer.weight().size(1) / block;
        T blocks = ops.permute(ops.reshape(base.weight(), Shape.of(rows, block, columns, block)), 0, 2, 1, 3);
        T delta = ops.matmul(ops.reshape(blocks, Shape.of(rows * columns, block * block)), ops.multiply(coding().matrix(ops, theta), strength));
        T folded = ops.permute(ops.reshape(delta, Shape.of(rows, columns, block, block)), 0, 2, 1, 3);
        return new Affine<>(ops.add(base.weight(), ops.reshape(folded, layer.weight())), base.bias());
    }

    private Coding coding() {
        return new Coding(atoms, block * block);
    }

    /// One row of block² numbers for each block.
    private Tensor unfold(Tensor weight) {
        int rows = (int) weight.shape().size(0), columns = (int) weight.shape().size(1), size = block * block;
        float[] unfolded = new float[rows * columns];
        for (int o = 0; o < rows; o++) for (int i = 0; i < columns; i++) {
            unfolded[(o / block * (columns / block) + i / block) * size + o % block * block + i % block] = weight.data()[o * columns + i];
        }
        return new Tensor(Shape.of((long) rows * columns / size, size), unfolded);
    }
}

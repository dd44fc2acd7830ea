package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;

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
        return maps(layer) && divides(layer) ? coding().slots(this::unfold) : List.of();
    }

    @Override public boolean leavesAlone(Layer layer) {
        return maps(layer) && !divides(layer);
    }

    private static boolean maps(Layer layer) {
        return layer.isProjection() && layer.kernelSize() == 1;
    }

    private boolean divides(Layer layer) {
        return layer.weightShape().size(0) % block == 0 && layer.weightShape().size(1) % block == 0;
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        return new LayerWeights<>(base.weight(), base.bias(), matrix(ops, theta, strength)).materialized(ops);             // ΔW = unfold(W) · Dᵀ · ΔD
    }

    @Override public <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> theta, T strength) {
        return Optional.of(matrix(ops, theta, strength));
    }

    private <T> T matrix(Ops<T> ops, AdapterParameters<T> theta, T strength) {
        return ops.multiply(coding().matrix(ops, theta), strength);
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

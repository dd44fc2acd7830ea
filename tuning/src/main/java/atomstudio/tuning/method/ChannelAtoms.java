package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// Channel atoms Dc (m_c, k_c²) of every 1×1 convolution and linear layer whose sides are multiples of k_c: W is cut
/// into k_c × k_c channel blocks, W = Σ_q A_q ⊗ Dc[q]. The coefficients A are frozen and ΔDc (m_c, k_c²) is trained,
/// so ΔW = unfold(W) · M with M = Dcᵀ · ΔDc. unfold(W) has one row per block; blocks and their elements are in
/// row-major order.
/// Source: Chen, Miao, Qiu 2025, figure of the decomposition, panel (3), with linear coding.
public record ChannelAtoms(int blockSide, int atomCount) implements TuningMethod {
    public ChannelAtoms {
        if (blockSide < 2) {
            throw new IllegalArgumentException("channel block: expected at least 2, found " + blockSide
                    + "; a block of 1 leaves a single scale for the whole layer");
        }
        LinearCoding.requireAtomCount(atomCount, blockSide * blockSide);
    }

    @Override
    public String name() {
        return "channels";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return isPointwise(layer) && isDivisible(layer) ? coding().parameterSpecs(this::unfold) : List.of();
    }

    @Override
    public boolean skipsIndivisible(Layer layer) {
        return isPointwise(layer) && !isDivisible(layer);
    }

    private static boolean isPointwise(Layer layer) {
        return layer.isProjection() && layer.kernelSize() == 1;
    }

    private boolean isDivisible(Layer layer) {
        return layer.weightShape().size(0) % blockSide == 0 && layer.weightShape().size(1) % blockSide == 0;
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        return new LayerWeights<>(base.weight(), base.bias(), scaledM(ops, parameters, adapterWeight))
                .materialized(ops); // W + unfold(W) · M
    }

    @Override
    public <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        return Optional.of(scaledM(ops, parameters, adapterWeight));
    }

    /// s · M.
    private <T> T scaledM(Ops<T> ops, AdapterParameters<T> parameters, T adapterWeight) {
        return ops.multiply(coding().m(ops, parameters), adapterWeight);
    }

    private LinearCoding coding() {
        return new LinearCoding(atomCount, blockSide * blockSide);
    }

    /// (Co, Ci) -> (Co/k_c · Ci/k_c, k_c²).
    private Tensor unfold(Tensor weight) {
        int rows = (int) weight.shape().size(0), columns = (int) weight.shape().size(1), size = blockSide * blockSide;
        float[] unfolded = new float[rows * columns];
        for (int o = 0; o < rows; o++) for (int i = 0; i < columns; i++) {
            int block = o / blockSide * (columns / blockSide) + i / blockSide;
            int element = o % blockSide * blockSide + i % blockSide;
            unfolded[block * size + element] = weight.data()[o * columns + i];
        }
        return new Tensor(Shape.of((long) rows * columns / size, size), unfolded);
    }
}

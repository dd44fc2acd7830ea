package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// Channel atoms D_c of every 1×1 convolution and linear layer whose sides are multiples of `block`: W is cut into
/// block × block channel blocks, W = Σ_q A_q ⊗ D_c[q]; the A stay, ΔD_c (atoms, block²) is tuned. Blocks and their
/// entries are taken row by row.
/// Source: Chen, Miao, Qiu 2025, figure of the decomposition, panel (3), with linear coding.
public record ChannelAtoms(int blockSide, int atomCount) implements TuningMethod {
    public ChannelAtoms {
        if (blockSide < 2) {
            throw new IllegalArgumentException("channel block: expected at least 2, found " + blockSide
                    + "; blocks of 1 would leave one number that scales the whole layer");
        }
        new LinearCoding(atomCount, blockSide * blockSide);
    }

    @Override
    public String name() {
        return "channels";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return isPointwise(layer) && isDivisible(layer) ? linearCoding().parameterSpecs(this::unfold) : List.of();
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
        return new LayerWeights<>(base.weight(), base.bias(), transformMatrix(ops, parameters, adapterWeight))
                .materialized(ops); // ΔW = unfold(W) · Dᵀ · ΔD
    }

    @Override
    public <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        return Optional.of(transformMatrix(ops, parameters, adapterWeight));
    }

    private <T> T transformMatrix(Ops<T> ops, AdapterParameters<T> parameters, T adapterWeight) {
        return ops.multiply(linearCoding().transformMatrix(ops, parameters), adapterWeight);
    }

    private LinearCoding linearCoding() {
        return new LinearCoding(atomCount, blockSide * blockSide);
    }

    /// One row of block² numbers for each block.
    private Tensor unfold(Tensor weight) {
        int rows = (int) weight.shape().size(0), columns = (int) weight.shape().size(1), size = blockSide * blockSide;
        float[] unfolded = new float[rows * columns];
        for (int o = 0; o < rows; o++) for (int i = 0; i < columns; i++) {
            unfolded[(o / blockSide * (columns / blockSide) + i / blockSide) * size + o % blockSide * blockSide
                    + i % blockSide] = weight.data()[o * columns + i];
        }
        return new Tensor(Shape.of((long) rows * columns / size, size), unfolded);
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// Filter atoms D of every convolution: W = α · D, one row of unfold(W) for each pair of channels; α stays, ΔD (m,k²)
/// is tuned. A 1×1 kernel has one atom.
/// Source: Chen, Miao, Qiu 2025, "Large Convolutional Model Tuning via Filter Subspace", section 3.1, with linear
/// coding.
public record FilterAtoms(int atomCount) implements TuningMethod {
    private static final int KERNEL_SIZE = 3;

    public FilterAtoms {
        new LinearCoding(atomCount, KERNEL_SIZE * KERNEL_SIZE);
    }

    @Override
    public String name() {
        return "atoms";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return layer.kind() == Layer.Kind.CONV
                ? LinearCoding.of(atomCount, layer.kernelSize()).parameterSpecs(FilterAtoms::unfold)
                : List.of();
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T m = transformMatrix(ops, layer, parameters, adapterWeight);
        if (layer.kernelSize() == 1)
            return new LayerWeights<>(ops.add(base.weight(), ops.multiply(base.weight(), ops.reshape(m, Shape.of(1)))),
                    base.bias());
        return new LayerWeights<>(base.weight(), base.bias(), m).materialized(ops); // ΔW = unfold(W) · Dᵀ · ΔD
    }

    @Override
    public <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        return layer.kernelSize() == 1 ? Optional.empty()
                : Optional.of(transformMatrix(ops, layer, parameters, adapterWeight));
    }

    private <T> T transformMatrix(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        return ops.multiply(LinearCoding.of(atomCount, layer.kernelSize()).transformMatrix(ops, parameters),
                adapterWeight);
    }

    /// (Co,Ci,k,k) -> (Co·Ci, k²).
    static Tensor unfold(Tensor weight) {
        long size = weight.shape().size(2) * weight.shape().size(3);
        return weight.reshape(Shape.of(weight.shape().elements() / size, size));
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// Filter atoms D (m, k²) of every convolution: unfold(W) = α · D, with one row of unfold(W) and α per channel pair
/// (o, i). α is frozen and ΔD (m, k²) is trained, so ΔW = α · ΔD = unfold(W) · M with M = Dᵀ · ΔD (k², k²). A k × k
/// kernel has at most k² atoms.
/// Source: Chen, Miao, Qiu 2025, "Large Convolutional Model Tuning via Filter Subspace", section 3.1, with linear
/// coding.
public record FilterAtoms(int atomCount) implements TuningMethod {
    public FilterAtoms {
        LinearCoding.requirePositive(atomCount);
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
        T m = scaledM(ops, layer, parameters, adapterWeight);
        if (layer.kernelSize() == 1) {
            T deltaW = ops.multiply(base.weight(), ops.reshape(m, Shape.of(1)));
            return new LayerWeights<>(ops.add(base.weight(), deltaW), base.bias());
        }
        return new LayerWeights<>(base.weight(), base.bias(), m).materialized(ops); // W + unfold(W) · M
    }

    @Override
    public <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        return layer.kernelSize() == 1 ? Optional.empty()
                : Optional.of(scaledM(ops, layer, parameters, adapterWeight));
    }

    /// s · M.
    private <T> T scaledM(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        return ops.multiply(LinearCoding.of(atomCount, layer.kernelSize()).m(ops, parameters), adapterWeight);
    }

    /// (Co, Ci / groups, k, k) -> (Co·Ci / groups, k²).
    static Tensor unfold(Tensor weight) {
        long size = weight.shape().size(2) * weight.shape().size(3);
        return weight.reshape(Shape.of(weight.shape().elements() / size, size));
    }
}

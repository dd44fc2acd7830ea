package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Overcomplete atoms: every input channel i has atoms of its own, D_i[j] = Σ_s β[i,j,s] · D1[j,s]; β (Ci,m,m1) and
/// D1 (m,m1,k²) are tuned, the coefficients α stay. A 1×1 kernel has one atom.
/// Source: Chen, Miao, Qiu 2025, figure of the decomposition, panel (2), with linear coding.
public record OvercompleteAtoms(int atomCount, int innerAtomCount) implements TuningMethod {
    private static final int KERNEL_SIZE = 3;

    public OvercompleteAtoms {
        new LinearCoding(atomCount, KERNEL_SIZE * KERNEL_SIZE);
        if (innerAtomCount < 1)
            throw new IllegalArgumentException("inner-atoms: expected at least 1, found " + innerAtomCount);
    }

    @Override
    public String name() {
        return "overcomplete";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (layer.kind() != Layer.Kind.CONV) return List.of();
        LinearCoding coding = LinearCoding.of(atomCount, layer.kernelSize());
        List<ParameterSpec> specs = new ArrayList<>();
        if (!coding.isComplete()) specs.add(coding.dictionary(FilterAtoms::unfold));
        specs.add(
                ParameterSpec.normal("beta", Shape.of(layer.weightShape().size(1), coding.atomCount(), innerAtomCount),
                        1 / Math.sqrt(3.0 * innerAtomCount)));
        specs.add(ParameterSpec.zeros("D1", Shape.of(coding.atomCount(), innerAtomCount, coding.atomSize())));
        return List.copyOf(specs);
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        return new LayerWeights<>(base.weight(), base.bias(), transformMatrices(ops, layer, parameters, adapterWeight))
                .materialized(ops); // ΔW[o,i] = W[o,i] · Dᵀ · D_i
    }

    @Override
    public <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        return layer.kernelSize() == 1 ? Optional.empty()
                : Optional.of(transformMatrices(ops, layer, parameters, adapterWeight));
    }

    /// Dᵀ · D_i of every input channel, (Ci,k²,k²).
    private <T> T transformMatrices(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        LinearCoding coding = LinearCoding.of(atomCount, layer.kernelSize());
        T channelAtoms = ops.matmul(ops.permute(parameters.get("beta"), 1, 0, 2),
                ops.multiply(parameters.get("D1"), adapterWeight)); // D_i[j] = Σ_s β[i,j,s] · D1[j,s]
        if (coding.isComplete()) return ops.permute(channelAtoms, 1, 0, 2);
        long inputs = layer.weightShape().size(1);
        T projected = ops.matmul(ops.permute(parameters.get("D"), 1, 0),
                ops.reshape(channelAtoms, Shape.of(coding.atomCount(), inputs * coding.atomSize())));
        return ops.permute(ops.reshape(projected, Shape.of(coding.atomSize(), inputs, coding.atomSize())), 1, 0, 2);
    }
}

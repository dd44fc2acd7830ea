package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Overcomplete atoms: every input channel i has its own atoms D_i (m, k²), D_i[j] = Σ_s β[i,j,s] · D1[j,s]. α is
/// frozen; β (Ci, m, m1) and D1 (m, m1, k²) are trained. ΔW[o,i] = α[o,i] · D_i = W[o,i] · Dᵀ · D_i. A k × k kernel
/// has at most k² atoms.
/// Source: Chen, Miao, Qiu 2025, figure of the decomposition, panel (2), with linear coding.
public record OvercompleteAtoms(int atomCount, int innerAtomCount) implements TuningMethod {
    public OvercompleteAtoms {
        LinearCoding.requirePositive(atomCount);
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
        Shape betaShape = Shape.of(layer.inputChannels(), coding.atomCount(), innerAtomCount);
        Shape d1Shape = Shape.of(coding.atomCount(), innerAtomCount, coding.atomSize());
        List<ParameterSpec> specs = new ArrayList<>();
        if (!coding.isComplete()) specs.add(coding.dictionary(FilterAtoms::unfold));
        specs.add(ParameterSpec.normal("beta", betaShape, 1 / Math.sqrt(3.0 * innerAtomCount)));
        specs.add(ParameterSpec.zeros("D1", d1Shape));
        return List.copyOf(specs);
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        return new LayerWeights<>(base.weight(), base.bias(), scaledM(ops, layer, parameters, adapterWeight))
                .materialized(ops); // W[o,i] + W[o,i] · M_i
    }

    @Override
    public <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        return layer.kernelSize() == 1 ? Optional.empty()
                : Optional.of(scaledM(ops, layer, parameters, adapterWeight));
    }

    /// s · M_i = s · Dᵀ · D_i of every input channel i, (Ci, k², k²).
    private <T> T scaledM(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        LinearCoding coding = LinearCoding.of(atomCount, layer.kernelSize());
        T beta = ops.permute(parameters.get("beta"), 1, 0, 2); // (m, Ci, m1)
        T d1 = ops.multiply(parameters.get("D1"), adapterWeight); // (m, m1, k²)
        T channelAtoms = ops.matmul(beta, d1); // D_i[j] as (m, Ci, k²)
        if (coding.isComplete()) return ops.permute(channelAtoms, 1, 0, 2);
        long inputs = layer.inputChannels();
        T transposedD = ops.permute(parameters.get("D"), 1, 0); // (k², m)
        T m = ops.matmul(transposedD,
                ops.reshape(channelAtoms, Shape.of(coding.atomCount(), inputs * coding.atomSize())));
        return ops.permute(ops.reshape(m, Shape.of(coding.atomSize(), inputs, coding.atomSize())), 1, 0, 2);
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import java.util.List;

/// Weight and bias of every norm: w + δ, b + δ.
/// Source: Basu et al. 2023, "Strong Baselines for Parameter Efficient Few-Shot Fine-tuning" (LN-Tune).
public record NormOnly() implements TuningMethod {
    @Override
    public String name() {
        return "norm";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return layer.kind() == Layer.Kind.NORM ? ScaledDelta.weightAndBiasSpecs(layer) : List.of();
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        return ScaledDelta.addWeightAndBias(ops, layer, base, parameters, adapterWeight);
    }
}

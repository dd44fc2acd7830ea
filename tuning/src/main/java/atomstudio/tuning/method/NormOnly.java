package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import java.util.ArrayList;
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
        if (layer.kind() != Layer.Kind.NORM) return List.of();
        List<ParameterSpec> specs = new ArrayList<>(List.of(ParameterSpec.zeros("weight", layer.weightShape())));
        if (layer.hasBias()) specs.add(ParameterSpec.zeros("bias", layer.biasShape()));
        return List.copyOf(specs);
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T weight = ScaledDelta.add(ops, base.weight(), parameters.get("weight"), adapterWeight);
        return new LayerWeights<>(weight,
                layer.hasBias() ? Biases.addDelta(ops, base, parameters.get("bias"), adapterWeight) : base.bias());
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import java.util.List;

/// All weights and biases: W + ΔW, b + Δb.
public record FullFineTuning() implements TuningMethod {
    @Override
    public String name() {
        return "full";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return layer.kind() == Layer.Kind.BUFFER ? List.of() : ScaledDelta.weightAndBiasSpecs(layer);
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        return ScaledDelta.addWeightAndBias(ops, layer, base, parameters, adapterWeight);
    }
}

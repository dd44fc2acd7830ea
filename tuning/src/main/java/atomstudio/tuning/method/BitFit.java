package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import java.util.List;

/// All biases and nothing else: b + δ.
/// Source: Ben Zaken, Ravfogel, Goldberg 2022, "BitFit".
public record BitFit() implements TuningMethod {
    @Override
    public String name() {
        return "bitfit";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return ScaledDelta.biasSpecs(layer);
    }

    @Override
    public boolean changesWeight(Layer layer) {
        return false;
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        return ScaledDelta.addBias(ops, layer, base, parameters, adapterWeight);
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerCall;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A method restricted to the layers that a selector matches.
public record RestrictedMethod(TuningMethod method, LayerSelector layers) implements TuningMethod {
    @Override
    public String name() {
        return method.name();
    }

    @Override
    public TuningMethod methodFor(Layer layer) {
        return method.methodFor(layer);
    }

    @Override
    public TuningMethod atStep(long seed, int step) {
        return new RestrictedMethod(method.atStep(seed, step), layers);
    }

    @Override
    public boolean skipsIndivisible(Layer layer) {
        return layers.matches(layer) && method.skipsIndivisible(layer);
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return layers.matches(layer) ? method.parameterSpecs(layer) : List.of();
    }

    @Override
    public boolean changesWeight(Layer layer) {
        return method.changesWeight(layer);
    }

    @Override
    public boolean isBranch() { return method.isBranch(); }

    @Override
    public boolean isBranch(Layer layer) {
        return method.isBranch(layer);
    }

    @Override
    public <T> T branch(Ops<T> ops, LayerCall<T> call, AdapterParameters<T> parameters, T adapterWeight) {
        return method.branch(ops, call, parameters, adapterWeight);
    }

    @Override
    public Map<String, Tensor> atTimesteps(Layer layer, float[] timesteps) {
        return layers.matches(layer) ? method.atTimesteps(layer, timesteps) : Map.of();
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        return method.effective(ops, layer, base, parameters, adapterWeight);
    }

    @Override
    public <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        return method.kernelTransform(ops, layer, parameters, adapterWeight);
    }
}

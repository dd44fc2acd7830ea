package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerCall;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/// Another method on each layer, given by `methodFor`.
interface LayerwiseMethod extends TuningMethod {
    @Override
    default boolean changesWeight(Layer layer) {
        return methodFor(layer).changesWeight(layer);
    }

    @Override
    default boolean isBranch(Layer layer) {
        return methodFor(layer).isBranch(layer);
    }

    @Override
    default <T> T branch(Ops<T> ops, LayerCall<T> call, AdapterParameters<T> parameters, T adapterWeight) {
        return methodFor(call.layer()).branch(ops, call, parameters, adapterWeight);
    }

    @Override
    default Map<String, Tensor> atTimesteps(Layer layer, float[] timesteps) {
        return parameterSpecs(layer).isEmpty() ? Map.of() : methodFor(layer).atTimesteps(layer, timesteps);
    }

    @Override
    default <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
            AdapterParameters<T> parameters,
            T adapterWeight) {
        return methodFor(layer).effective(ops, layer, base, parameters, adapterWeight);
    }

    @Override
    default <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        return methodFor(layer).kernelTransform(ops, layer, parameters, adapterWeight);
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// Scales and shifts what every convolution and linear layer gives: γ ⊙ W, γ ⊙ b + δ. A layer without bias gets one.
/// Source: Lian et al. 2022, "Scaling and Shifting Your Features", equations 3 to 5.
public record Ssf() implements TuningMethod {
    @Override
    public String name() {
        return "ssf";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (!layer.isProjection()) return List.of();
        return List.of(ParameterSpec.ones("gamma", layer.biasShape()), ParameterSpec.zeros("delta", layer.biasShape()));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T gamma = parameters.get("gamma"), delta = parameters.get("delta");
        T weight = ops.multiply(base.weight(), ops.reshape(gamma, perOutput(layer)));
        T bias = base.bias() == null ? ops.multiply(delta, adapterWeight)
                : ScaledDelta.interpolate(ops, base.bias(), ops.add(ops.multiply(base.bias(), gamma), delta),
                        adapterWeight);
        return new LayerWeights<>(ScaledDelta.interpolate(ops, base.weight(), weight, adapterWeight), bias);
    }

    private static Shape perOutput(Layer layer) {
        long outputs = layer.weightShape().size(0);
        return layer.weightShape().rank() == 4 ? Shape.of(outputs, 1, 1, 1) : Shape.of(outputs, 1);
    }
}

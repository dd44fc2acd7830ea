package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// Scale γ and shift δ of the output of every convolution and linear layer: γ ⊙ W, γ ⊙ b + δ. A layer without bias
/// gets one.
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
        T scaled = ops.multiply(base.weight(), ops.reshape(gamma, perOutput(layer)));
        T weight = ScaledDelta.interpolate(ops, base.weight(), scaled, adapterWeight);
        if (base.bias() == null) return new LayerWeights<>(weight, ops.multiply(delta, adapterWeight));
        T shifted = ops.add(ops.multiply(base.bias(), gamma), delta);
        return new LayerWeights<>(weight, ScaledDelta.interpolate(ops, base.bias(), shifted, adapterWeight));
    }

    private static Shape perOutput(Layer layer) {
        long outputs = layer.weightShape().size(0);
        return layer.weightShape().rank() == 4 ? Shape.of(outputs, 1, 1, 1) : Shape.of(outputs, 1);
    }
}

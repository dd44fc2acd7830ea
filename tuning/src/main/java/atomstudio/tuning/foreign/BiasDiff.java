package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// b + Δb, beside what the weight's own form does where it has one.
record BiasDiff(Optional<Adaptation> weightDelta) implements Adaptation {
    @Override public Map<String, Shape> parameterShapes(Layer layer) {
        Map<String, Shape> shapes = new HashMap<>(weightDelta.map(form -> form.parameterShapes(layer)).orElse(Map.of()));
        shapes.put("bias", layer.biasShape());
        return shapes;
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters, T adapterWeight) {
        LayerWeights<T> adapted = weightDelta.isEmpty() ? base : weightDelta.get().effective(ops, layer, base, parameters, adapterWeight);
        T delta = ops.multiply(parameters.get("bias"), adapterWeight);
        return new LayerWeights<>(adapted.weight(), base.bias() == null ? delta : ops.add(base.bias(), delta));
    }
}

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
record WithBias(Optional<Adaptation> weight) implements Adaptation {
    @Override public Map<String, Shape> parameterShapes(Layer layer) {
        Map<String, Shape> shapes = new HashMap<>(weight.map(form -> form.parameterShapes(layer)).orElse(Map.of()));
        shapes.put("bias", layer.biasShape());
        return shapes;
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        LayerWeights<T> changed = weight.isEmpty() ? base : weight.get().effective(ops, layer, base, theta, strength);
        T change = ops.multiply(theta.get("bias"), strength);
        return new LayerWeights<>(changed.weight(), base.bias() == null ? change : ops.add(base.bias(), change));
    }
}

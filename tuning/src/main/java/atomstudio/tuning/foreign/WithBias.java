package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Slots;
import atomstudio.diffusion.tensor.Shape;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// b + Δb, beside what the weight's own form does where it has one.
record WithBias(Optional<Adaptation> weight) implements Adaptation {
    @Override public Map<String, Shape> shapes(Layer layer) {
        Map<String, Shape> shapes = new HashMap<>(weight.map(form -> form.shapes(layer)).orElse(Map.of()));
        shapes.put("bias", layer.biasShape());
        return shapes;
    }

    @Override public <T> Affine<T> effective(Ops<T> ops, Layer layer, Affine<T> base, Slots<T> theta, T strength) {
        Affine<T> changed = weight.isEmpty() ? base : weight.get().effective(ops, layer, base, theta, strength);
        T change = ops.multiply(theta.get("bias"), strength);
        return new Affine<>(changed.weight(), base.bias() == null ? change : ops.add(base.bias(), change));
    }
}

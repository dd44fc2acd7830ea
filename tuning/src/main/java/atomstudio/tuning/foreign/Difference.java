package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Slots;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;

/// W + ΔW, all of it in the file.
record Difference() implements Adaptation {
    @Override public Map<String, Shape> shapes(Layer layer) {
        return Map.of("weight", layer.weight());
    }

    @Override public <T> Affine<T> effective(Ops<T> ops, Layer layer, Affine<T> base, Slots<T> theta, T strength) {
        return new Affine<>(ops.add(base.weight(), ops.multiply(theta.get("weight"), strength)), base.bias());
    }
}

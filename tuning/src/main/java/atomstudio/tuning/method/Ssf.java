package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Slots;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// Scales and shifts what every convolution and linear layer gives: γ ⊙ W, γ ⊙ b + δ. A layer without bias gets one.
/// Source: Lian et al. 2022, "Scaling and Shifting Your Features", equations 3 to 5.
public record Ssf() implements TuningMethod {
    @Override public String name() {
        return "ssf";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (!layer.maps()) return List.of();
        return List.of(Slot.one("gamma", layer.biasShape()), Slot.zero("delta", layer.biasShape()));
    }

    @Override public <T> Affine<T> effective(Ops<T> ops, Layer layer, Affine<T> base, Slots<T> theta, T strength) {
        T gamma = theta.get("gamma"), delta = theta.get("delta");
        T weight = ops.multiply(base.weight(), ops.reshape(gamma, perOutput(layer)));
        T bias = base.bias() == null ? ops.multiply(delta, strength) : Strength.toward(ops, base.bias(), ops.add(ops.multiply(base.bias(), gamma), delta), strength);
        return new Affine<>(Strength.toward(ops, base.weight(), weight, strength), bias);
    }

    private static Shape perOutput(Layer layer) {
        long outputs = layer.weight().size(0);
        return layer.weight().rank() == 4 ? Shape.of(outputs, 1, 1, 1) : Shape.of(outputs, 1);
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Slots;
import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/// Everything: W + ΔW, b + Δb.
public record Full() implements TuningMethod {
    @Override public String name() {
        return "full";
    }

    @Override public List<Slot> slots(Layer layer) {
        List<Slot> slots = new ArrayList<>(List.of(Slot.zero("weight", layer.weight())));
        if (layer.biased()) slots.add(Slot.zero("bias", layer.biasShape()));
        return List.copyOf(slots);
    }

    @Override public <T> Affine<T> effective(Ops<T> ops, Layer layer, Affine<T> base, Slots<T> theta, T strength) {
        T weight = Strength.plus(ops, base.weight(), theta.get("weight"), strength);
        return new Affine<>(weight, layer.biased() ? Biases.plus(ops, base, theta.get("bias"), strength) : base.bias());
    }
}

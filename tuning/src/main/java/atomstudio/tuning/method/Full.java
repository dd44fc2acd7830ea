package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import java.util.ArrayList;
import java.util.List;

/// Everything: W + ΔW, b + Δb.
public record Full() implements TuningMethod {
    @Override public String name() {
        return "full";
    }

    @Override public List<Slot> slots(Layer layer) {
        List<Slot> slots = new ArrayList<>(List.of(Slot.zero("weight", layer.weightShape())));
        if (layer.hasBias()) slots.add(Slot.zero("bias", layer.biasShape()));
        return List.copyOf(slots);
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        T weight = Strength.plus(ops, base.weight(), theta.get("weight"), strength);
        return new LayerWeights<>(weight, layer.hasBias() ? Biases.plus(ops, base, theta.get("bias"), strength) : base.bias());
    }
}

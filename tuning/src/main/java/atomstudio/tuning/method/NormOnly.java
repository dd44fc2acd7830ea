package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import java.util.ArrayList;
import java.util.List;

/// Weight and bias of every norm: w + δ, b + δ.
/// Source: Basu et al. 2023, "Strong Baselines for Parameter Efficient Few-Shot Fine-tuning" (LN-Tune).
public record NormOnly() implements TuningMethod {
    @Override public String name() {
        return "norm";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (layer.kind() != Layer.Kind.NORM) return List.of();
        List<Slot> slots = new ArrayList<>(List.of(Slot.zero("weight", layer.weightShape())));
        if (layer.hasBias()) slots.add(Slot.zero("bias", layer.biasShape()));
        return List.copyOf(slots);
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        T weight = Strength.plus(ops, base.weight(), theta.get("weight"), strength);
        return new LayerWeights<>(weight, layer.hasBias() ? Biases.plus(ops, base, theta.get("bias"), strength) : base.bias());
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Slots;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// All biases, and nothing else: b + δ.
/// Source: Ben Zaken, Ravfogel, Goldberg 2022, "BitFit".
public record BitFit() implements TuningMethod {
    @Override public String name() {
        return "bitfit";
    }

    @Override public List<Slot> slots(Layer layer) {
        return layer.biased() ? List.of(Slot.zero("bias", layer.biasShape())) : List.of();
    }

    @Override public boolean changesWeight(Layer layer) {
        return false;
    }

    @Override public <T> Affine<T> effective(Ops<T> ops, Layer layer, Affine<T> base, Slots<T> theta, T strength) {
        return new Affine<>(base.weight(), Biases.plus(ops, base, theta.get("bias"), strength));
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Slots;
import java.util.List;
import java.util.Optional;

/// A method on chosen layers only, of those that it can tune.
public record On(TuningMethod method, LayerChoice layers) implements TuningMethod {
    @Override public String name() {
        return method.name();
    }

    @Override public TuningMethod part(Layer layer) {
        return method.part(layer);
    }

    @Override public boolean leavesAlone(Layer layer) {
        return layers.matches(layer) && method.leavesAlone(layer);
    }

    @Override public List<Slot> slots(Layer layer) {
        return layers.matches(layer) ? method.slots(layer) : List.of();
    }

    @Override public boolean changesWeight(Layer layer) {
        return method.changesWeight(layer);
    }

    @Override public <T> Affine<T> effective(Ops<T> ops, Layer layer, Affine<T> base, Slots<T> theta, T strength) {
        return method.effective(ops, layer, base, theta, strength);
    }

    @Override public <T> Optional<T> mixing(Ops<T> ops, Layer layer, Slots<T> theta, T strength) {
        return method.mixing(ops, layer, theta, strength);
    }
}

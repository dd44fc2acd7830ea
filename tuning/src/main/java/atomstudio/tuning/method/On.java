package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
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

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        return method.effective(ops, layer, base, theta, strength);
    }

    @Override public <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> theta, T strength) {
        return method.kernelTransform(ops, layer, theta, strength);
    }
}

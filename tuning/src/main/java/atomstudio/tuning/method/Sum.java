package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// Methods that tune different layers, tuned together, each with its own slots.
public record Sum(List<TuningMethod> parts) implements TuningMethod {
    public Sum {
        parts = List.copyOf(parts);
        if (parts.size() < 2) throw new IllegalArgumentException("sum: expected at least two methods, found " + parts.size());
    }

    @Override public String name() {
        return parts.stream().map(TuningMethod::name).collect(Collectors.joining("+"));
    }

    @Override public TuningMethod part(Layer layer) {
        return tuning(layer).getFirst();
    }

    @Override public boolean leavesAlone(Layer layer) {
        return !tunes(layer) && parts.stream().anyMatch(part -> part.leavesAlone(layer));
    }

    @Override public List<Slot> slots(Layer layer) {
        List<TuningMethod> tuning = tuning(layer);
        return tuning.isEmpty() ? List.of() : tuning.getFirst().slots(layer);
    }

    @Override public boolean changesWeight(Layer layer) {
        return part(layer).changesWeight(layer);
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        return part(layer).effective(ops, layer, base, theta, strength);
    }

    @Override public <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> theta, T strength) {
        return part(layer).kernelTransform(ops, layer, theta, strength);
    }

    private List<TuningMethod> tuning(Layer layer) {
        List<TuningMethod> tuning = parts.stream().filter(part -> part.tunes(layer)).toList();
        if (tuning.size() > 1) {
            String names = tuning.stream().map(TuningMethod::name).collect(Collectors.joining(" and "));
            throw new IllegalArgumentException(names + " would both tune " + layer.name() + "; expected methods of different layers, see --layers");
        }
        return tuning;
    }
}

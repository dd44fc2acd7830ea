package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import java.util.List;
import java.util.stream.Collectors;

/// Methods on disjoint layers, trained together, each with its own parameters.
public record CombinedMethods(List<TuningMethod> methods) implements LayerwiseMethod {
    public CombinedMethods {
        methods = List.copyOf(methods);
        if (methods.size() < 2)
            throw new IllegalArgumentException("methods: expected at least two, found " + methods.size());
    }

    @Override
    public String name() {
        return methods.stream().map(TuningMethod::name).collect(Collectors.joining("+"));
    }

    @Override
    public TuningMethod methodFor(Layer layer) {
        return methodsFor(layer).getFirst().methodFor(layer);
    }

    @Override
    public TuningMethod atStep(long seed, int step) {
        return new CombinedMethods(methods.stream().map(method -> method.atStep(seed, step)).toList());
    }

    @Override
    public boolean skipsIndivisible(Layer layer) {
        return !tunes(layer) && methods.stream().anyMatch(method -> method.skipsIndivisible(layer));
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        List<TuningMethod> matching = methodsFor(layer);
        return matching.isEmpty() ? List.of() : matching.getFirst().parameterSpecs(layer);
    }

    private List<TuningMethod> methodsFor(Layer layer) {
        List<TuningMethod> matching = methods.stream().filter(method -> method.tunes(layer)).toList();
        if (matching.size() > 1) {
            String names = matching.stream().map(TuningMethod::name).collect(Collectors.joining(" and "));
            throw new IllegalArgumentException(names + " would both train " + layer.name()
                    + "; expected methods on different layers");
        }
        return matching;
    }
}

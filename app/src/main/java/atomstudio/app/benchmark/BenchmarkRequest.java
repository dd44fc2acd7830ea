package atomstudio.app.benchmark;

import atomstudio.app.experiment.MethodVariant;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.ModelSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// The runs to plan.
/// @param methods       names of [BenchmarkRun#variant], or [BenchmarkRun#UNTUNED]
/// @param seeds         number of training seeds
/// @param steps         of every training; empty: the method's
/// @param learningRates by method; the method's where none is given
public record BenchmarkRequest(BenchmarkDataset dataset, List<String> methods, int seeds, OptionalInt steps,
        Map<String, Double> learningRates) {
    /// Methods of a benchmark that names none.
    public static final List<String> DEFAULT_METHODS = List.of(BenchmarkRun.UNTUNED, "atoms+word", "atoms+channels",
            "lora-4");

    public BenchmarkRequest {
        methods = List.copyOf(methods);
        learningRates = Map.copyOf(learningRates);
        for (String method : methods) variant(method);
    }

    /// Ordered by seed, then subject, so that a partial table covers every method.
    /// @param size of the model, for the methods' default steps and learning rates
    public List<BenchmarkRun> runs(ModelSize size) {
        List<BenchmarkRun> runs = new ArrayList<>();
        for (long seed = 0; seed < seeds; seed++) {
            for (BenchmarkDataset.Subject subject : dataset.subjects()) {
                for (String method : methods) {
                    Optional<MethodVariant> variant = variant(method);
                    if (variant.isPresent()) runs.add(run(subject, variant.get(), seed, size));
                    else if (seed == 0) runs.add(BenchmarkRun.untuned(subject));
                }
            }
        }
        return runs;
    }

    private BenchmarkRun run(BenchmarkDataset.Subject subject, MethodVariant variant, long seed, ModelSize size) {
        MethodName method = MethodName.ofOption(variant.options().get(variant.options().indexOf("--method") + 1));
        return new BenchmarkRun(subject, variant.name(), variant.options(),
                learningRates.getOrDefault(variant.name(), method.learningRate(size)),
                steps.orElse(method.steps(size)), seed);
    }

    /// Empty for the base model.
    private static Optional<MethodVariant> variant(String name) {
        if (name.equals(BenchmarkRun.UNTUNED)) return Optional.empty();
        Optional<MethodVariant> variant = BenchmarkRun.variant(name);
        if (variant.isEmpty())
            throw new IllegalArgumentException("methods: expected " + BenchmarkRun.UNTUNED + ", one of "
                    + String.join(", ", MethodVariant.names()) + ", or a method of studio methods, found " + name);
        return variant;
    }
}

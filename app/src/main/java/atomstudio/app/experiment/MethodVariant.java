package atomstudio.app.experiment;

import atomstudio.tuning.method.MethodSetting;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A method with its settings in the experiment.
/// @param name          in the table and in `--methods`
/// @param options       of `studio train`, including the method
/// @param steps         of a whole run
/// @param learningRates tried in phase tune, the expected best in the middle
/// @param seeds         training seeds in phase test
public record MethodVariant(String name, List<String> options, int steps, List<Double> learningRates, int seeds) {
    /// Methods of the default experiment.
    public static final List<MethodVariant> COMPARED = List.of(
            of("atoms", 400, List.of(1e-3, 3e-3, 1e-2)).withSeeds(3),
            of("atoms+word", 400, List.of(1e-3, 3e-3, 1e-2)).withSeeds(3),
            of("overcomplete", 200, List.of(1e-3, 3e-3, 1e-2)),
            withWord("overcomplete+word", of("overcomplete", 200, List.of(1e-3, 3e-3, 1e-2))),
            of("channels", 200, List.of(2e-3, 5e-3, 1e-2)),
            of("atoms+channels", 200, List.of(2e-3, 5e-3, 1e-2)),
            of("overcomplete+channels", 200, List.of(1e-3, 3e-3, 1e-2)),
            new MethodVariant("atoms-up", List.of("--method", "atoms", "--layers", "up"), 400,
                    List.of(1e-3, 3e-3, 1e-2), 1),
            new MethodVariant("lora-4", List.of("--method", "lora", "--rank", "4"), 200, List.of(1e-3, 2e-3, 4e-3), 3),
            withWord("lora+word", of("lora", 200, List.of(1e-3, 2e-3, 4e-3))),
            new MethodVariant("lora-16", List.of("--method", "lora", "--rank", "16"), 200, List.of(5e-4, 1e-3, 2e-3),
                    1),
            of("lokr", 200, List.of(2e-3, 5e-3, 1e-2)),
            of("bitfit", 200, List.of(1e-3, 3e-3, 1e-2)),
            of("textual-inversion", 200, List.of(2e-3, 5e-3, 2e-2)));

    /// Methods that run only if requested.
    public static final List<MethodVariant> OPTIONAL = List.of(
            of("locon", 200, List.of(1e-3, 2e-3, 5e-3)),
            of("loha", 200, List.of(2e-3, 5e-3, 1e-2)),
            of("oft", 200, List.of(1e-3, 2e-3, 5e-3)),
            of("lora-fa", 200, List.of(2e-3, 4e-3, 1e-2)),
            of("vera", 200, List.of(3e-3, 1e-2, 3e-2)),
            of("boft", 200, List.of(1e-3, 2e-3, 5e-3)),
            of("ia3", 200, List.of(3e-3, 1e-2, 3e-2)),
            of("dora", 200, List.of(2e-3, 4e-3, 8e-3)),
            of("norm", 200, List.of(5e-3, 1e-2, 3e-2)),
            of("ssf", 200, List.of(2e-3, 5e-3, 1e-2)),
            of("difffit", 200, List.of(2e-3, 5e-3, 1e-2)),
            of("glora", 200, List.of(2e-3, 4e-3, 8e-3)),
            of("glora-terms", 200, List.of(2e-3, 4e-3, 8e-3)),
            of("t-lora", 200, List.of(1e-3, 2e-3, 4e-3)),
            of("serial-adapter", 200, List.of(1e-3, 2e-3, 5e-3)),
            of("parallel-adapter", 200, List.of(3e-3, 1e-2, 3e-2)),
            of("full", 200, List.of(3e-5, 1e-4, 3e-4)));

    public MethodVariant {
        options = List.copyOf(options);
        learningRates = List.copyOf(learningRates);
    }

    private static MethodVariant of(String method, int steps, List<Double> learningRates) {
        return new MethodVariant(method, List.of("--method", method), steps, learningRates, 1);
    }

    /// With a trained word, at the default learning rate of textual inversion.
    private static MethodVariant withWord(String name, MethodVariant method) {
        List<String> options = new ArrayList<>(method.options);
        options.addAll(List.of("--" + MethodSetting.COMBINE_WITH.option(), "textual-inversion"));
        return new MethodVariant(name, options, method.steps, method.learningRates, method.seeds);
    }

    private MethodVariant withSeeds(int seeds) {
        return new MethodVariant(name, options, steps, learningRates, seeds);
    }

    /// A variant of the command line, with the steps and learning rates of the known variant with the same method, or
    /// default ones.
    /// @param options of `studio train`, separated by spaces, including the method
    /// @throws IllegalArgumentException if they contain no method
    public static MethodVariant of(String name, String options) {
        List<String> arguments = List.of(options.strip().split("\\s+"));
        int methodIndex = arguments.indexOf("--method") + 1;
        if (methodIndex < 1 || methodIndex >= arguments.size())
            throw new IllegalArgumentException("variant " + name
                    + ": expected options of train with --method NAME, found \"" + options + "\"");
        MethodVariant similar = all().filter(variant -> variant.options.get(1).equals(arguments.get(methodIndex)))
                .findFirst()
                .orElse(of(arguments.get(methodIndex), 200, List.of(2e-3, 5e-3, 1e-2)));
        return new MethodVariant(name, arguments, similar.steps, similar.learningRates, 1);
    }

    public static Optional<MethodVariant> ofName(String name) {
        return all().filter(variant -> variant.name.equals(name)).findFirst();
    }

    public static List<String> names() {
        return all().map(MethodVariant::name).toList();
    }

    private static Stream<MethodVariant> all() {
        return Stream.concat(COMPARED.stream(), OPTIONAL.stream());
    }

    double defaultRate() {
        return learningRates.get(learningRates.size() / 2);
    }
}

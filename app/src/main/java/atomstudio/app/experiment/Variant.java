package atomstudio.app.experiment;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A method with settings, as the experiment compares it.
/// @param name    in the table, and in `--methods`
/// @param options of `studio tune`, method included
/// @param steps   of a whole run
/// @param rates   that are tried while settings are chosen, the one thought best in the middle
/// @param seeds   of training, in the test phase
public record Variant(String name, List<String> options, int steps, List<Double> rates, int seeds) {
    /// What the experiment compares.
    public static final List<Variant> COMPARED = List.of(
            of("atoms", 400, List.of(1e-3, 3e-3, 1e-2)).withSeeds(3),
            of("atoms+word", 400, List.of(1e-3, 3e-3, 1e-2)).withSeeds(3),
            of("overcomplete", 200, List.of(1e-3, 3e-3, 1e-2)),
            withWord("overcomplete+word", of("overcomplete", 200, List.of(1e-3, 3e-3, 1e-2))),
            of("channels", 200, List.of(2e-3, 5e-3, 1e-2)),
            of("atoms+channels", 200, List.of(2e-3, 5e-3, 1e-2)),
            of("overcomplete+channels", 200, List.of(1e-3, 3e-3, 1e-2)),
            new Variant("atoms-up", List.of("--method", "atoms", "--layers", "up"), 400, List.of(1e-3, 3e-3, 1e-2), 1),
            new Variant("lora-4", List.of("--method", "lora", "--rank", "4"), 200, List.of(1e-3, 2e-3, 4e-3), 3),
            withWord("lora+word", of("lora", 200, List.of(1e-3, 2e-3, 4e-3))),
            new Variant("lora-16", List.of("--method", "lora", "--rank", "16"), 200, List.of(5e-4, 1e-3, 2e-3), 1),
            of("lokr", 200, List.of(2e-3, 5e-3, 1e-2)),
            of("bitfit", 200, List.of(1e-3, 3e-3, 1e-2)),
            of("textual-inversion", 200, List.of(2e-3, 5e-3, 2e-2)));

    /// Methods whose rates are chosen where they are asked for.
    public static final List<Variant> FURTHER = List.of(
            of("locon", 200, List.of(1e-3, 2e-3, 5e-3)),
            of("loha", 200, List.of(2e-3, 5e-3, 1e-2)),
            of("oft", 200, List.of(1e-3, 2e-3, 5e-3)),
            of("dora", 200, List.of(2e-3, 4e-3, 8e-3)),
            of("norm", 200, List.of(5e-3, 1e-2, 3e-2)),
            of("ssf", 200, List.of(2e-3, 5e-3, 1e-2)),
            of("difffit", 200, List.of(2e-3, 5e-3, 1e-2)),
            of("glora", 200, List.of(2e-3, 4e-3, 8e-3)),
            of("full", 200, List.of(3e-5, 1e-4, 3e-4)));

    public Variant {
        options = List.copyOf(options);
        rates = List.copyOf(rates);
    }

    private static Variant of(String method, int steps, List<Double> rates) {
        return new Variant(method, List.of("--method", method), steps, rates, 1);
    }

    /// With a word trained beside it, at that method's own learning rate.
    private static Variant withWord(String name, Variant method) {
        List<String> options = new ArrayList<>(method.options);
        options.addAll(List.of("--also", "textual-inversion"));
        return new Variant(name, options, method.steps, method.rates, method.seeds);
    }

    private Variant withSeeds(int seeds) {
        return new Variant(name, options, steps, rates, seeds);
    }

    /// One that is not among the experiment's own: it has the steps and rates of the one with the same method, or else the usual ones.
    /// @param options of `tune`, separated by spaces, method included
    /// @throws IllegalArgumentException when they name no method
    public static Variant of(String name, String options) {
        List<String> all = List.of(options.strip().split("\\s+"));
        int method = all.indexOf("--method") + 1;
        if (method < 1 || method >= all.size()) throw new IllegalArgumentException("variant " + name + ": expected options of tune with --method NAME among them, found \"" + options + "\"");
        Variant like = all().filter(variant -> variant.options.get(1).equals(all.get(method))).findFirst().orElse(of(all.get(method), 200, List.of(2e-3, 5e-3, 1e-2)));
        return new Variant(name, all, like.steps, like.rates, 1);
    }

    public static Optional<Variant> named(String name) {
        return all().filter(variant -> variant.name.equals(name)).findFirst();
    }

    public static List<String> names() {
        return all().map(Variant::name).toList();
    }

    private static Stream<Variant> all() {
        return Stream.concat(COMPARED.stream(), FURTHER.stream());
    }

    double usualRate() {
        return rates.get(rates.size() / 2);
    }
}

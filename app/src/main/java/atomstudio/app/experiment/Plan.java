package atomstudio.app.experiment;

import atomstudio.app.experiment.Entry.Key;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What is to be run: everything that the experiment has, or the part of it that was asked for.
/// @param subjects    empty: those of each phase
/// @param variants    methods with their settings
/// @param seeds       of training in the test phase at most; a method that stands for many has fewer
/// @param rates       by a variant's name, instead of what the tuning phase found
public record Plan(List<Phase> phases, List<String> subjects, List<Variant> variants, int seeds, Map<String, Double> rates, Extent extent) {
    /// How long runs are.
    /// @param stepsScale  on every method's own number of steps
    /// @param checkpoints a run
    public record Extent(double stepsScale, int checkpoints) {
        /// All of it, looked at four times.
        public static final Extent WHOLE = new Extent(1, 4);

        public Extent {
            if (!(stepsScale > 0 && stepsScale <= 100)) throw new IllegalArgumentException("steps-scale: expected a number above 0, at most 100, found " + stepsScale);
            if (checkpoints < 1) throw new IllegalArgumentException("checkpoints: expected at least 1, found " + checkpoints);
        }

        int steps(Variant variant) {
            return Math.max(1, (int) Math.round(variant.steps() * stepsScale));
        }
    }

    public Plan {
        if (seeds < 1) throw new IllegalArgumentException("seeds: expected at least 1, found " + seeds);
        phases = List.copyOf(phases);
        subjects = List.copyOf(subjects);
        variants = List.copyOf(variants);
        rates = Map.copyOf(rates);
    }

    /// The subjects of a phase, of those that were asked for.
    public List<Thing> things(Phase phase) throws Failure {
        List<Thing> things = new ArrayList<>();
        for (String name : subjects.isEmpty() ? phase.subjects() : subjects) {
            boolean own = name.contains(":") && phase == Phase.TEST;
            if (!subjects.isEmpty() && phases.size() > 1 && !own && !phase.subjects().contains(name)) continue;
            things.add(Thing.named(name).orElseThrow(() -> new Failure.Incompatible("subject " + name + ": expected one of " + String.join(", ", Thing.names()))));
        }
        return things;
    }

    /// The runs of a phase: first seeds first, so that a part of the table says something of every method.
    /// @param table what is known by now: the test phase takes its rates from the tuning phase
    public List<Trial> trials(Phase phase, Table table) throws Failure {
        List<Trial> trials = new ArrayList<>();
        for (long seed = 0; seed < (phase == Phase.TEST ? seeds : 1); seed++) {
            for (Thing thing : things(phase)) {
                for (Variant variant : variants) {
                    if (seed >= variant.seeds()) continue;
                    for (double rate : rates(phase, variant, table)) trials.add(new Trial(phase, thing, variant, new Trial.Settings(rate, extent.steps(variant), seed, extent.checkpoints)));
                }
            }
        }
        return trials;
    }

    private List<Double> rates(Phase phase, Variant variant, Table table) {
        Double given = rates.get(variant.name());
        if (given != null) return List.of(given);
        return switch (phase) {
            case TUNE -> variant.rates();
            case TEST -> List.of(chosen(variant, table).orElse(variant.usualRate()));
        };
    }

    /// The rate whose best checkpoint has the highest likeness gained over the untuned model times alignment, on average over the subjects
    /// that settings are chosen on. Likeness itself would also reward a model that has learned nothing.
    static Optional<Double> chosen(Variant variant, Table table) {
        return best(table.entries(), variant.name());
    }

    /// As above, by the method's name in the table.
    static Optional<Double> best(List<Entry> table, String method) {
        List<Entry> tune = table.stream().filter(entry -> entry.key().phase().equals(Phase.TUNE.word())).toList();
        Map<String, Double> untuned = new HashMap<>();
        for (Entry entry : tune) {
            if (entry.key().method().equals(Key.UNTUNED)) untuned.put(entry.key().subject(), entry.measures().likeness().orElse(0));
        }
        List<Entry> entries = tune.stream().filter(entry -> entry.key().method().equals(method)).toList();
        return Table.grouped(entries, entry -> entry.key().rate()).entrySet().stream().max(Comparator.comparingDouble(rate -> best(rate.getValue(), untuned))).map(Map.Entry::getKey);
    }

    private static double best(List<Entry> ofOneRate, Map<String, Double> untuned) {
        return Table.grouped(ofOneRate, Plan::length).values().stream()
                .mapToDouble(entries -> entries.stream().mapToDouble(entry -> entry.score(untuned.getOrDefault(entry.key().subject(), 0.0))).average().orElse(0)).max().orElse(0);
    }

    /// Which checkpoint of which length of run.
    private static String length(Entry entry) {
        Key key = entry.key();
        return key.checkpoint() + "/" + key.steps();
    }
}

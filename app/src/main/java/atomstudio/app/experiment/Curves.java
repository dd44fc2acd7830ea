package atomstudio.app.experiment;

import atomstudio.app.experiment.Entry.Key;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.tuning.measure.Measures;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/// What a plot shows of a table: for each method a point a checkpoint, averaged over subjects and seeds.
record Curves(String phase, List<Entry> entries) {
    /// What likeness is drawn against.
    enum Axis {
        ALIGNMENT, DIVERSITY;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        OptionalDouble of(Measures measures) {
            return switch (this) {
                case ALIGNMENT -> measures.alignment();
                case DIVERSITY -> measures.diversity();
            };
        }
    }

    record Curve(String method, List<Point> points) {}

    record Point(double across, double likeness) {}

    /// The test phase, or the tuning phase where nothing of it is there yet; of the latter's rates, each method's best.
    static Curves of(List<Entry> all) {
        List<Entry> test = ofPhase(all, Phase.TEST);
        if (!test.isEmpty()) return new Curves(Phase.TEST.word(), test);
        List<Entry> tune = ofPhase(all, Phase.TUNE);
        List<Entry> best = tune.stream().filter(entry -> entry.key().steps() == 0 || Plan.best(tune, entry.key().method()).orElseThrow() == entry.key().rate()).toList();
        return new Curves(Phase.TUNE.word(), best);
    }

    private static List<Entry> ofPhase(List<Entry> all, Phase phase) {
        return all.stream().filter(entry -> entry.key().phase().equals(phase.word())).toList();
    }

    List<Thing.Kind> kinds() {
        return List.of(Thing.Kind.values()).stream().filter(kind -> entries.stream().anyMatch(entry -> entry.kind() == kind)).toList();
    }

    List<String> subjects(Thing.Kind kind) {
        return entries.stream().filter(entry -> entry.kind() == kind).map(entry -> entry.key().subject()).distinct().toList();
    }

    List<String> encoders() {
        return entries.stream().map(entry -> entry.measures().encoder()).distinct().toList();
    }

    List<String> methods() {
        return entries.stream().map(entry -> entry.key().method()).distinct().toList();
    }

    /// Methods that have both numbers at every point.
    List<Curve> of(Thing.Kind kind, Axis axis) {
        List<Curve> curves = new ArrayList<>();
        List<Entry> ofKind = entries.stream().filter(entry -> entry.kind() == kind).toList();
        Table.grouped(ofKind, entry -> entry.key().method()).forEach((method, of) -> curves.add(new Curve(method, points(of, axis))));
        curves.removeIf(curve -> curve.points.isEmpty());
        return curves;
    }

    /// Checkpoints in their order, told by their share of the run, so that runs of several lengths do not mix.
    private static List<Point> points(List<Entry> ofMethod, Axis axis) {
        List<Point> points = new ArrayList<>();
        Table.grouped(ofMethod.stream().sorted(Comparator.comparingDouble(Curves::share)).toList(), entry -> entry.key().steps() + "/" + entry.key().checkpoint()).values().forEach(of -> {
            OptionalDouble across = Summary.mean(of, entry -> axis.of(entry.measures()));
            OptionalDouble likeness = Summary.mean(of, entry -> entry.measures().likeness());
            if (across.isPresent() && likeness.isPresent()) points.add(new Point(across.getAsDouble(), likeness.getAsDouble()));
        });
        return points;
    }

    private static double share(Entry entry) {
        Key key = entry.key();
        return key.steps() == 0 ? 0 : (double) key.checkpoint() / key.steps();
    }
}

package atomstudio.app.experiment;

import atomstudio.app.experiment.ExperimentRow.Key;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.tuning.measure.ClipScores;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/// What a plot shows of a table: for each method a point a checkpoint, averaged over subjects and seeds.
record PlotCurves(String phase, List<ExperimentRow> rows) {
    /// What likeness is drawn against.
    enum Axis {
        ALIGNMENT, DIVERSITY;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }

        OptionalDouble of(ClipScores measures) {
            return switch (this) {
                case ALIGNMENT -> measures.alignment();
                case DIVERSITY -> measures.diversity();
            };
        }
    }

    record Curve(String method, List<CurvePoint> points) {}

    record CurvePoint(double x, double likeness) {}

    /// The test phase, or the tuning phase where nothing of it is there yet; of the latter's rates, each method's best.
    static PlotCurves of(List<ExperimentRow> rows) {
        List<ExperimentRow> testRows = inPhase(rows, Phase.TEST);
        if (!testRows.isEmpty()) return new PlotCurves(Phase.TEST.label(), testRows);
        List<ExperimentRow> tuningRows = inPhase(rows, Phase.TUNE);
        List<ExperimentRow> bestRateRows = tuningRows.stream().filter(row -> row.key().steps() == 0 || ExperimentPlan.best(tuningRows, row.key().method()).orElseThrow() == row.key().learningRate()).toList();
        return new PlotCurves(Phase.TUNE.label(), bestRateRows);
    }

    private static List<ExperimentRow> inPhase(List<ExperimentRow> rows, Phase phase) {
        return rows.stream().filter(row -> row.key().phase().equals(phase.label())).toList();
    }

    List<ExperimentSubject.SubjectKind> subjectKinds() {
        return List.of(ExperimentSubject.SubjectKind.values()).stream().filter(kind -> rows.stream().anyMatch(row -> row.subjectKind() == kind)).toList();
    }

    List<String> subjects(ExperimentSubject.SubjectKind kind) {
        return rows.stream().filter(row -> row.subjectKind() == kind).map(row -> row.key().subject()).distinct().toList();
    }

    List<String> encoders() {
        return rows.stream().map(row -> row.measures().encoder()).distinct().toList();
    }

    List<String> methods() {
        return rows.stream().map(row -> row.key().method()).distinct().toList();
    }

    /// Methods that have both numbers at every point.
    List<Curve> of(ExperimentSubject.SubjectKind kind, Axis axis) {
        List<Curve> curves = new ArrayList<>();
        List<ExperimentRow> kindRows = rows.stream().filter(row -> row.subjectKind() == kind).toList();
        ExperimentTable.groupBy(kindRows, row -> row.key().method()).forEach((method, of) -> curves.add(new Curve(method, points(of, axis))));
        curves.removeIf(curve -> curve.points.isEmpty());
        return curves;
    }

    /// Checkpoints in their order, told by their share of the run, so that runs of several lengths do not mix.
    private static List<CurvePoint> points(List<ExperimentRow> methodRows, Axis axis) {
        List<CurvePoint> points = new ArrayList<>();
        ExperimentTable.groupBy(methodRows.stream().sorted(Comparator.comparingDouble(PlotCurves::runFraction)).toList(), row -> row.key().steps() + "/" + row.key().checkpoint()).values().forEach(of -> {
            OptionalDouble x = ExperimentSummary.mean(of, row -> axis.of(row.measures()));
            OptionalDouble likeness = ExperimentSummary.mean(of, row -> row.measures().likeness());
            if (x.isPresent() && likeness.isPresent()) points.add(new CurvePoint(x.getAsDouble(), likeness.getAsDouble()));
        });
        return points;
    }

    private static double runFraction(ExperimentRow row) {
        Key key = row.key();
        return key.steps() == 0 ? 0 : (double) key.checkpoint() / key.steps();
    }
}

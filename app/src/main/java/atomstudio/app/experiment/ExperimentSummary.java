package atomstudio.app.experiment;

import atomstudio.app.compare.ComparisonText;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.experiment.ExperimentRow.Key;
import atomstudio.tuning.measure.BootstrapInterval;
import atomstudio.tuning.measure.ClipScores;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Text output of the table: single rows, and averages over subjects and seeds.
public final class ExperimentSummary {
    private ExperimentSummary() {}

    /// `atoms at step 100: likeness 0.56  diversity 0.36  alignment 0.45`.
    public static String line(ExperimentRow row) {
        Key key = row.key();
        String label = key.steps() == 0 ? key.subject() + " " + key.method()
                : String.format(Locale.ROOT, "step %d (%s)", key.checkpoint(),
                        DisplayFormat.duration(row.cost().trainingSeconds()));
        ClipScores measures = row.measures();
        return label + ": likeness " + ComparisonText.metric(measures.likeness()) + "  diversity "
                + ComparisonText.metric(measures.diversity()) + "  alignment "
                + ComparisonText.metric(measures.alignment());
    }

    /// Markdown tables, one for each phase and kind of subject: a row for each method, learning rate and checkpoint,
    /// averaged over subjects and seeds, with 95% bootstrap intervals over subjects if there are three or more.
    public static String markdown(List<ExperimentRow> rows) {
        StringBuilder text = new StringBuilder();
        ExperimentTable.groupBy(rows, row -> row.key().phase())
                .forEach((phase, phaseRows) -> ExperimentTable.groupBy(phaseRows, ExperimentRow::subjectKind)
                        .forEach((kind, kindRows) -> appendSection(text, phase, kind, kindRows)));
        return text.toString().stripTrailing();
    }

    private static void appendSection(StringBuilder text, String phase, ExperimentSubject.SubjectKind kind,
            List<ExperimentRow> entries) {
        String subjects = distinctNames(entries, row -> row.key().subject());
        text.append("### Phase %s, %s (%s)\n\n".formatted(phase, kind.label(), subjects));
        text.append("Measured with %s.\n\n".formatted(distinctNames(entries, row -> row.measures().encoder())));
        text.append(
                "| method | learning rate | step | runs | parameters | file | seconds | memory | likeness | diversity "
                        + "| alignment |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        ExperimentTable.groupBy(entries, row -> new GroupKey(row.key().method(), row.key().learningRate(),
                row.key().steps(), row.key().checkpoint()))
                .forEach(
                        (key, group) -> text.append("| ").append(String.join(" | ", cells(key, group))).append(" |\n"));
        text.append('\n');
    }

    /// Rows that are averaged.
    private record GroupKey(String method, double learningRate, int steps, int checkpoint) {}

    private static List<String> cells(GroupKey key, List<ExperimentRow> group) {
        ExperimentRow.Cost cost = group.getFirst().cost();
        double seconds = mean(group, row -> OptionalDouble.of(row.cost().trainingSeconds())).orElse(0);
        long memory = group.stream().mapToLong(row -> row.cost().peakMemoryBytes()).max().orElse(0);
        return List.of(key.method, key.steps == 0 ? "" : ExperimentTable.formatNumber(key.learningRate),
                key.steps == 0 ? "" : Integer.toString(key.checkpoint), Integer.toString(group.size()),
                DisplayFormat.count(cost.parameters()), DisplayFormat.bytes(cost.fileBytes()),
                String.format(Locale.ROOT, "%.0f", seconds), DisplayFormat.bytes(memory),
                meanWithInterval(group, row -> row.measures().likeness()),
                meanWithInterval(group, row -> row.measures().diversity()),
                meanWithInterval(group, row -> row.measures().alignment()));
    }

    private static String distinctNames(List<ExperimentRow> rows, Function<ExperimentRow, String> name) {
        Set<String> names = rows.stream().map(name).collect(Collectors.toCollection(TreeSet::new));
        return String.join(", ", names);
    }

    static OptionalDouble mean(List<ExperimentRow> rows, Function<ExperimentRow, OptionalDouble> measure) {
        return rows.stream()
                .map(measure)
                .filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble)
                .average();
    }

    private static String meanWithInterval(List<ExperimentRow> rows, Function<ExperimentRow, OptionalDouble> measure) {
        double[] subjectMeans = ExperimentTable.groupBy(rows, row -> row.key().subject())
                .values()
                .stream()
                .map(group -> mean(group, measure))
                .filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble)
                .toArray();
        if (subjectMeans.length < 3) return ComparisonText.metric(mean(rows, measure));
        BootstrapInterval interval = BootstrapInterval.ofMean(subjectMeans);
        return String.format(Locale.ROOT, "%.2f (%.2f–%.2f)", interval.mean(), interval.low(), interval.high());
    }
}

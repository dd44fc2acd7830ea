package atomstudio.app.experiment;

import atomstudio.app.compare.ComparisonText;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.experiment.ExperimentRow.Key;
import atomstudio.tuning.measure.ClipScores;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The table in words: a row as it comes, and all of it averaged over subjects and seeds.
public final class ExperimentSummary {
    private ExperimentSummary() {}

    /// `atoms at step 100: likeness 0.56  diversity 0.36  alignment 0.45`.
    public static String line(ExperimentRow row) {
        Key key = row.key();
        String label = key.steps() == 0 ? key.subject() + " " + key.method()
                : String.format(Locale.ROOT, "step %d (%s)", key.checkpoint(),
                        DisplayFormat.seconds(row.cost().trainingSeconds()));
        ClipScores measures = row.measures();
        return label + ": likeness " + ComparisonText.metric(measures.likeness()) + "  diversity "
                + ComparisonText.metric(measures.diversity()) + "  alignment "
                + ComparisonText.metric(measures.alignment());
    }

    /// Tables in Markdown, one for each phase and kind of subject: a row for each method, rate and checkpoint,
    /// averaged over subjects and seeds, with the interval that holds 95% of the means of subjects drawn again
    /// (bootstrap), where there are three or more. Likeness, diversity and alignment stand together.
    public static String markdown(List<ExperimentRow> rows) {
        StringBuilder text = new StringBuilder();
        ExperimentTable.groupBy(rows, row -> row.key().phase())
                .forEach((phase, phaseRows) -> ExperimentTable.groupBy(phaseRows, ExperimentRow::subjectKind)
                        .forEach((kind, kindRows) -> appendSection(text, phase, kind, kindRows)));
        return text.toString().stripTrailing();
    }

    private static void appendSection(StringBuilder text, String phase, ExperimentSubject.SubjectKind kind,
            List<ExperimentRow> entries) {
        String subjects = distinctNames(entries, experimentRow -> experimentRow.key().subject());
        text.append("### Phase ")
                .append(phase)
                .append(", ")
                .append(kind.label())
                .append(" (")
                .append(subjects)
                .append(")\n\nMeasured by ")
                .append(distinctNames(entries, experimentRow -> experimentRow.measures().encoder()))
                .append(".\n\n| method | rate | step | runs | numbers | file | seconds | memory | likeness | diversity | alignment |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        record Row(String method, double rate, int steps, int checkpoint) {}
        Map<Row, List<ExperimentRow>> rows = ExperimentTable.groupBy(entries,
                experimentRow -> new Row(experimentRow.key().method(), experimentRow.key().learningRate(),
                        experimentRow.key().steps(), experimentRow.key().checkpoint()));
        rows.forEach((rowKey, group) -> {
            text.append("| ")
                    .append(rowKey.method)
                    .append(" | ")
                    .append(rowKey.steps == 0 ? "" : ExperimentTable.formatNumber(rowKey.rate))
                    .append(" | ")
                    .append(rowKey.steps == 0 ? "" : rowKey.checkpoint)
                    .append(" | ")
                    .append(group.size())
                    .append(" | ")
                    .append(DisplayFormat.count(group.getFirst().cost().parameters()))
                    .append(" | ")
                    .append(DisplayFormat.bytes(group.getFirst().cost().fileBytes()))
                    .append(" | ")
                    .append(String.format(Locale.ROOT, "%.0f",
                            mean(group, experimentRow -> OptionalDouble.of(experimentRow.cost().trainingSeconds()))
                                    .orElse(0)))
                    .append(" | ")
                    .append(DisplayFormat.bytes(group.stream()
                            .mapToLong(experimentRow -> experimentRow.cost().peakMemoryBytes())
                            .max()
                            .orElse(0)))
                    .append(" | ")
                    .append(meanWithInterval(group, experimentRow -> experimentRow.measures().likeness()))
                    .append(" | ")
                    .append(meanWithInterval(group, experimentRow -> experimentRow.measures().diversity()))
                    .append(" | ")
                    .append(meanWithInterval(group, experimentRow -> experimentRow.measures().alignment()))
                    .append(" |\n");
        });
        text.append('\n');
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

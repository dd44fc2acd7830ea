package atomstudio.app.experiment;

import atomstudio.app.compare.ComparisonText;
import atomstudio.app.experiment.Entry.Key;
import atomstudio.tuning.measure.Measures;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The table in words: a row as it comes, and all of it averaged over subjects and seeds.
public final class Summary {
    private Summary() {}

    /// `atoms at step 100: likeness 0.56  diversity 0.36  alignment 0.45`.
    public static String line(Entry entry) {
        Key key = entry.key();
        String what = key.steps() == 0 ? key.subject() + " " + key.method() : String.format(Locale.ROOT, "step %d (%s)", key.checkpoint(), ComparisonText.seconds(entry.cost().seconds()));
        Measures measures = entry.measures();
        return what + ": likeness " + ComparisonText.metric(measures.likeness()) + "  diversity " + ComparisonText.metric(measures.diversity()) + "  alignment " + ComparisonText.metric(measures.alignment());
    }

    /// Tables in Markdown, one for each phase and kind of subject: a row for each method, rate and checkpoint, averaged over subjects and seeds, with
    /// the interval that holds 95% of the means of subjects drawn again (bootstrap), where there are three or more. Likeness, diversity and
    /// alignment stand together.
    public static String markdown(List<Entry> entries) {
        StringBuilder text = new StringBuilder();
        Table.grouped(entries, entry -> entry.key().phase()).forEach((phase, ofPhase) -> Table.grouped(ofPhase, Entry::kind).forEach((kind, ofKind) -> section(text, phase, kind, ofKind)));
        return text.toString().stripTrailing();
    }

    private static void section(StringBuilder text, String phase, Thing.Kind kind, List<Entry> entries) {
        String subjects = names(entries, entry -> entry.key().subject());
        text.append("### Phase ").append(phase).append(", ").append(kind.words()).append(" (").append(subjects).append(")\n\nMeasured by ").append(names(entries, entry -> entry.measures().encoder()))
                .append(".\n\n| method | rate | step | runs | numbers | file | seconds | memory | likeness | diversity | alignment |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        record Row(String method, double rate, int steps, int checkpoint) {}
        Map<Row, List<Entry>> rows = Table.grouped(entries, entry -> new Row(entry.key().method(), entry.key().rate(), entry.key().steps(), entry.key().checkpoint()));
        rows.forEach((row, of) -> {
            text.append("| ").append(row.method).append(" | ").append(row.steps == 0 ? "" : Table.number(row.rate)).append(" | ").append(row.steps == 0 ? "" : row.checkpoint).append(" | ").append(of.size()).append(" | ")
                    .append(String.format(Locale.ROOT, "%,d", of.getFirst().cost().numbers())).append(" | ").append(ComparisonText.bytes(of.getFirst().cost().bytes())).append(" | ")
                    .append(String.format(Locale.ROOT, "%.0f", mean(of, entry -> OptionalDouble.of(entry.cost().seconds())).orElse(0))).append(" | ")
                    .append(ComparisonText.bytes(of.stream().mapToLong(entry -> entry.cost().peakMemory()).max().orElse(0))).append(" | ")
                    .append(spread(of, entry -> entry.measures().likeness())).append(" | ").append(spread(of, entry -> entry.measures().diversity())).append(" | ")
                    .append(spread(of, entry -> entry.measures().alignment())).append(" |\n");
        });
        text.append('\n');
    }

    private static String names(List<Entry> entries, Function<Entry, String> name) {
        Set<String> names = entries.stream().map(name).collect(Collectors.toCollection(TreeSet::new));
        return String.join(", ", names);
    }

    static OptionalDouble mean(List<Entry> entries, Function<Entry, OptionalDouble> measure) {
        return entries.stream().map(measure).filter(OptionalDouble::isPresent).mapToDouble(OptionalDouble::getAsDouble).average();
    }

    private static String spread(List<Entry> entries, Function<Entry, OptionalDouble> measure) {
        double[] subjects = Table.grouped(entries, entry -> entry.key().subject()).values().stream().map(of -> mean(of, measure))
                .filter(OptionalDouble::isPresent).mapToDouble(OptionalDouble::getAsDouble).toArray();
        if (subjects.length < 3) return ComparisonText.metric(mean(entries, measure));
        Bootstrap interval = Bootstrap.ofMean(subjects);
        return String.format(Locale.ROOT, "%.2f (%.2f–%.2f)", interval.mean(), interval.low(), interval.high());
    }
}

package atomstudio.app.benchmark;

import atomstudio.app.benchmark.BenchmarkFolder.RunResult;
import atomstudio.app.benchmark.BenchmarkFolder.State;
import atomstudio.app.benchmark.RunScores.Metric;
import atomstudio.app.benchmark.RunScores.Score;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.measure.BootstrapInterval;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The scores of the finished runs, and their means per method. A function of the run folders alone: equal runs give
/// equal bytes, in any order and on any machines.
/// @param states of all planned runs, by name
public record BenchmarkTable(BenchmarkSettings settings, List<RunScores> runs, List<Row> rows,
        Map<String, State> states) {
    /// Name of the row with the photos themselves.
    static final String REAL = "real";
    private static final int MIN_SUBJECTS_OF_INTERVAL = 3;

    /// Subjects that a row is over.
    private enum Split {
        ALL("all", run -> true), LIVE("live", run -> run.subject().live()),
        OBJECTS("objects", run -> !run.subject().live());

        private final String label;
        private final Predicate<BenchmarkRun> contains;

        Split(String label, Predicate<BenchmarkRun> contains) {
            this.label = label;
            this.contains = contains;
        }
    }

    /// A mean with its interval over the subjects; empty with fewer than three subjects.
    record Mean(double mean, Optional<BootstrapInterval> interval) {
        String text() {
            return String.format(Locale.ROOT, "%.3f", mean) + interval
                    .map(found -> String.format(Locale.ROOT, " (%.3f–%.3f)", found.low(), found.high()))
                    .orElse("");
        }
    }

    /// One row.
    /// @param method [#REAL] for the photos among themselves
    /// @param images with the black ones
    record Row(String method, String split, int subjects, int runs, int images, int black, long parameters, long bytes,
            Map<Metric, Mean> means) {}

    /// Reads all finished runs.
    public static BenchmarkTable read(BenchmarkFolder folder, BenchmarkProtocol protocol) throws Failure {
        BenchmarkSettings settings = folder.settings().with(protocol);
        List<RunScores> runs = new ArrayList<>();
        Map<String, State> states = new LinkedHashMap<>();
        for (BenchmarkRun run : folder.runs()) {
            BenchmarkFolder.RunFiles files = folder.files(run);
            Optional<RunResult> result = files.result();
            states.put(run.name(), result.isPresent() ? State.FINISHED : files.state());
            if (result.isPresent())
                runs.add(RunScores.of(run, result.get(), RunEmbeddings.read(files.embeddings()), settings));
        }
        return new BenchmarkTable(settings, runs, rows(runs, protocol), states);
    }

    private static List<Row> rows(List<RunScores> runs, BenchmarkProtocol protocol) {
        List<Row> rows = new ArrayList<>();
        for (Split split : Split.values()) {
            List<RunScores> part = runs.stream().filter(scores -> split.contains.test(scores.run())).toList();
            if (part.isEmpty() || split != Split.ALL && part.size() == runs.size()) continue;
            rows.add(realRow(part, split, protocol));
            groupBy(part, scores -> scores.run().method())
                    .forEach((method, group) -> rows.add(row(method, group, split, protocol)));
        }
        return List.copyOf(rows);
    }

    /// The likeness of the photos to each other, which no method should exceed.
    private static Row realRow(List<RunScores> part, Split split, BenchmarkProtocol protocol) {
        List<RunScores> onePerSubject = groupBy(part, scores -> scores.run().subject().name()).values()
                .stream()
                .map(List::getFirst)
                .toList();
        return new Row(REAL, split.label, onePerSubject.size(), 0, 0, 0, 0, 0,
                means(onePerSubject, RunScores::ceiling, protocol));
    }

    private static Row row(String method, List<RunScores> group, Split split, BenchmarkProtocol protocol) {
        int subjects = groupBy(group, scores -> scores.run().subject().name()).size();
        RunResult first = group.getFirst().result();
        return new Row(method, split.label, subjects, group.size(),
                group.stream().mapToInt(scores -> scores.images().size()).sum(),
                group.stream().mapToInt(scores -> scores.result().black()).sum(), first.parameters(), first.bytes(),
                means(group, RunScores::scores, protocol));
    }

    private static Map<Metric, Mean> means(List<RunScores> group, Function<RunScores, Map<Metric, Score>> scoresOf,
            BenchmarkProtocol protocol) {
        Map<Metric, Mean> means = new EnumMap<>(Metric.class);
        for (Metric metric : Metric.values()) {
            List<Score> subjects = groupBy(group, scores -> scores.run().subject().name()).values()
                    .stream()
                    .map(runs -> pool(runs.stream()
                            .map(scores -> scoresOf.apply(scores).get(metric))
                            .flatMap(Stream::ofNullable)
                            .toList()))
                    .flatMap(Optional::stream)
                    .toList();
            if (!subjects.isEmpty()) means.put(metric, mean(subjects, protocol));
        }
        return means;
    }

    /// The score of a subject: the mean over its runs, each with the weight of its pairs.
    private static Optional<Score> pool(List<Score> runs) {
        if (runs.isEmpty()) return Optional.empty();
        int pairs = runs.stream().mapToInt(Score::pairs).sum();
        return Optional.of(new Score(
                runs.stream().mapToDouble(score -> score.mean() * score.pairs()).sum() / pairs, pairs));
    }

    private static Mean mean(List<Score> subjects, BenchmarkProtocol protocol) {
        BootstrapInterval interval = BootstrapInterval.ofWeightedMean(
                subjects.stream().mapToDouble(Score::mean).toArray(),
                subjects.stream().mapToDouble(score -> protocol.poolsPairs() ? score.pairs() : 1).toArray());
        return new Mean(interval.mean(),
                subjects.size() < MIN_SUBJECTS_OF_INTERVAL ? Optional.empty() : Optional.of(interval));
    }

    static <K> Map<K, List<RunScores>> groupBy(List<RunScores> runs, Function<RunScores, K> keyOf) {
        return runs.stream().collect(Collectors.groupingBy(keyOf, LinkedHashMap::new, Collectors.toList()));
    }

    /// The number of planned runs in a state.
    public long count(State state) {
        return states.values().stream().filter(state::equals).count();
    }

    /// Description of the CLIP encoder.
    String encoder() {
        return runs.isEmpty() ? "the model's CLIP" : runs.getFirst().result().encoder();
    }

    /// The protocol, in lines.
    public List<String> notes() {
        return settings.describe(encoder());
    }

    /// The columns of the table for readers.
    List<String> header() {
        return Stream.of(List.of("method", "subjects", "runs", "parameters"),
                metrics().stream().map(Metric::title).toList(), List.of("black")).flatMap(List::stream).toList();
    }

    List<String> cells(Row row) {
        List<String> cells = new ArrayList<>(List.of(
                row.split().equals(Split.ALL.label) ? row.method() : row.method() + ", " + row.split(),
                Integer.toString(row.subjects()), row.runs() == 0 ? "" : Integer.toString(row.runs()),
                row.parameters() == 0 ? "" : String.format(Locale.ROOT, "%,d", row.parameters())));
        for (Metric metric : metrics())
            cells.add(Optional.ofNullable(row.means().get(metric)).map(Mean::text).orElse(""));
        cells.add(row.runs() == 0 ? "" : Integer.toString(row.black()));
        return cells;
    }

    /// The table in Markdown.
    public String markdown() {
        StringBuilder text = new StringBuilder();
        text.append("| ").append(String.join(" | ", header())).append(" |\n|---|");
        text.append("---:|".repeat(header().size() - 1)).append('\n');
        for (Row row : rows) text.append("| ").append(String.join(" | ", cells(row))).append(" |\n");
        return text.toString();
    }

    /// The metrics that some run has.
    List<Metric> metrics() {
        return Stream.of(Metric.values())
                .filter(metric -> rows.stream().anyMatch(row -> row.means().containsKey(metric)))
                .toList();
    }
}

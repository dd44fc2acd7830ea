package atomstudio.app.experiment;

import atomstudio.app.experiment.ExperimentRow.Cost;
import atomstudio.app.experiment.ExperimentRow.Key;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.tuning.measure.ClipScores;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The experiment's table, a CSV file to which rows are appended. A killed experiment loses at most the last row.
public final class ExperimentTable {
    private static final String HEADER = "phase,subject,kind,method,rate,steps,seed,numbers,bytes,seconds,peak_memory,"
            + "checkpoint,likeness,diversity,alignment,encoder";
    private static final int COLUMNS = HEADER.split(",").length;

    private final Path file;
    private final Map<Key, ExperimentRow> rows = new LinkedHashMap<>();

    private ExperimentTable(Path file) {
        this.file = file;
    }

    /// Reads the table, empty if there is no file; an incomplete last line is removed.
    /// @throws Failure.Unreadable if the file is not such a table
    public static ExperimentTable open(Path file) throws Failure {
        ExperimentTable table = new ExperimentTable(file);
        if (!Files.exists(file)) return table;
        String text;
        try {
            text = Files.readString(file);
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
        String complete = text.substring(0, text.lastIndexOf('\n') + 1);
        List<String> lines = complete.lines().toList();
        if (lines.isEmpty() || !lines.getFirst().equals(HEADER))
            throw new Failure.Unreadable(file + ": expected the table of an experiment, which starts with \"" + HEADER
                    + "\", found something else");
        for (String line : lines.subList(1, lines.size())) table.put(table.parseRow(line));
        if (!complete.equals(text)) AtomicFile.write(file, out -> out.write(complete.getBytes(StandardCharsets.UTF_8)));
        return table;
    }

    public List<ExperimentRow> rows() {
        return List.copyOf(rows.values());
    }

    public boolean contains(Key key) {
        return rows.containsKey(key);
    }

    /// Writes a whole table beside and moves it.
    static void write(Path file, Collection<ExperimentRow> rows) throws Failure {
        StringBuilder text = new StringBuilder(HEADER).append('\n');
        rows.forEach(row -> text.append(formatRow(row)).append('\n'));
        AtomicFile.write(file, out -> out.write(text.toString().getBytes(StandardCharsets.UTF_8)));
    }

    /// Appends a row to the file.
    public void add(ExperimentRow row) throws Failure {
        String header = Files.exists(file) ? "" : HEADER + "\n";
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.writeString(file, header + formatRow(row) + "\n", StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new Failure.Unwritable(file + ": cannot be written: " + e.getMessage()
                    + "; free some disk space, then run the same command again", e);
        }
        put(row);
    }

    private void put(ExperimentRow row) {
        rows.put(row.key(), row);
    }

    private static String formatRow(ExperimentRow row) {
        Key key = row.key();
        Cost cost = row.cost();
        ClipScores measures = row.measures();
        return Stream
                .of(key.phase(), key.subject(), row.subjectKind().label(), key.method(),
                        formatNumber(key.learningRate()), key.steps(), key.seed(), cost.parameters(), cost.fileBytes(),
                        String.format(Locale.ROOT, "%.2f", cost.trainingSeconds()),
                        cost.peakMemoryBytes(), key.checkpoint(), optional(measures.likeness()),
                        optional(measures.diversity()), optional(measures.alignment()), quoted(measures.encoder()))
                .map(Object::toString)
                .reduce((a, b) -> a + "," + b)
                .orElseThrow();
    }

    private ExperimentRow parseRow(String line) throws Failure {
        String[] cells = line.split(",", COLUMNS);
        try {
            Key key = new Key(cells[0], cells[1], cells[3], Double.parseDouble(cells[4]), Integer.parseInt(cells[5]),
                    Long.parseLong(cells[6]), Integer.parseInt(cells[11]));
            ExperimentSubject.SubjectKind kind = Stream.of(ExperimentSubject.SubjectKind.values())
                    .filter(candidate -> candidate.label().equals(cells[2]))
                    .findFirst()
                    .orElseThrow();
            Cost cost = new Cost(Long.parseLong(cells[7]), Long.parseLong(cells[8]), Double.parseDouble(cells[9]),
                    Long.parseLong(cells[10]));
            return new ExperimentRow(key, kind, cost,
                    new ClipScores(unquoted(cells[15]), optional(cells[12]), optional(cells[13]), optional(cells[14])));
        } catch (RuntimeException e) {
            throw new Failure.Unreadable(
                    file + ": expected a row of " + COLUMNS + " columns (" + HEADER + "), found \"" + line + "\"", e);
        }
    }

    /// The shortest decimal that parses to the same number: 0.01, 2.0E-4.
    static String formatNumber(double number) {
        return number == Math.rint(number) && Math.abs(number) < 1e9 ? Long.toString((long) number)
                : Double.toString(number);
    }

    private static String optional(OptionalDouble number) {
        return number.isPresent() ? String.format(Locale.ROOT, "%.5f", number.getAsDouble()) : "";
    }

    private static OptionalDouble optional(String cell) {
        return cell.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Double.parseDouble(cell));
    }

    /// Quotes the last column, which contains a model's name.
    private static String quoted(String text) {
        return "\"" + text.replace("\"", "\"\"").replaceAll("\\R", " ") + "\"";
    }

    private static String unquoted(String cell) {
        return cell.substring(1, cell.length() - 1).replace("\"\"", "\"");
    }

    /// Groups rows by a key, in the table's order.
    static <K> Map<K, List<ExperimentRow>> groupBy(List<ExperimentRow> rows, Function<ExperimentRow, K> keyOf) {
        return rows.stream().collect(Collectors.groupingBy(keyOf, LinkedHashMap::new, Collectors.toList()));
    }
}

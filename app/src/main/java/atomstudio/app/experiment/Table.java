package atomstudio.app.experiment;

import atomstudio.app.experiment.Entry.Cost;
import atomstudio.app.experiment.Entry.Key;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.AtomicFile;
import atomstudio.tuning.measure.Measures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/// The experiment's table, a CSV file that grows by a row at a time: a killed experiment loses at most the row it was writing.
public final class Table {
    private static final String HEAD = "phase,subject,kind,method,rate,steps,seed,numbers,bytes,seconds,peak_memory,checkpoint,likeness,diversity,alignment,encoder";
    private static final int COLUMNS = HEAD.split(",").length;

    private final Path file;
    private final Map<Key, Entry> entries = new LinkedHashMap<>();

    private Table(Path file) {
        this.file = file;
    }

    /// Reads what is there; a last line that was cut short is dropped.
    /// @throws Failure.Unreadable when the file is something else
    public static Table open(Path file) throws Failure {
        Table table = new Table(file);
        if (!Files.exists(file)) return table;
        String text;
        try {
            text = Files.readString(file);
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
        String whole = text.substring(0, text.lastIndexOf('\n') + 1);
        List<String> lines = whole.lines().toList();
        if (lines.isEmpty() || !lines.getFirst().equals(HEAD)) throw new Failure.Unreadable(file + ": expected the table of an experiment, beginning with \"" + HEAD + "\"; found something else");
        for (String line : lines.subList(1, lines.size())) table.put(table.parse(line));
        if (!whole.equals(text)) AtomicFile.write(file, out -> out.write(whole.getBytes(StandardCharsets.UTF_8)));
        return table;
    }

    public List<Entry> entries() {
        return List.copyOf(entries.values());
    }

    public boolean has(Key key) {
        return entries.containsKey(key);
    }

    /// Appends a row, on the disk when this returns.
    public void add(Entry entry) throws Failure {
        String head = Files.exists(file) ? "" : HEAD + "\n";
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.writeString(file, head + line(entry) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new Failure.Unwritable(file + ": cannot be written: " + e.getMessage() + "; free some space, then run the same command again", e);
        }
        put(entry);
    }

    private void put(Entry entry) {
        entries.put(entry.key(), entry);
    }

    private static String line(Entry entry) {
        Key key = entry.key();
        Cost cost = entry.cost();
        Measures measures = entry.measures();
        return Stream.of(key.phase(), key.subject(), entry.kind().words(), key.method(), number(key.rate()), key.steps(), key.seed(), cost.numbers(), cost.bytes(), String.format(Locale.ROOT, "%.2f", cost.seconds()),
                cost.peakMemory(), key.checkpoint(), optional(measures.likeness()), optional(measures.diversity()), optional(measures.alignment()), quoted(measures.encoder()))
                .map(Object::toString).reduce((a, b) -> a + "," + b).orElseThrow();
    }

    private Entry parse(String line) throws Failure {
        String[] cells = line.split(",", COLUMNS);
        try {
            Key key = new Key(cells[0], cells[1], cells[3], Double.parseDouble(cells[4]), Integer.parseInt(cells[5]), Long.parseLong(cells[6]), Integer.parseInt(cells[11]));
            Thing.Kind kind = Stream.of(Thing.Kind.values()).filter(each -> each.words().equals(cells[2])).findFirst().orElseThrow();
            Cost cost = new Cost(Long.parseLong(cells[7]), Long.parseLong(cells[8]), Double.parseDouble(cells[9]), Long.parseLong(cells[10]));
            return new Entry(key, kind, cost, new Measures(unquoted(cells[15]), optional(cells[12]), optional(cells[13]), optional(cells[14])));
        } catch (RuntimeException e) {
            throw new Failure.Unreadable(file + ": expected a row of " + COLUMNS + " columns (" + HEAD + "), found \"" + line + "\"", e);
        }
    }

    /// The shortest decimal that reads back as the same number: 0.01, 2.0E-4.
    static String number(double number) {
        return number == Math.rint(number) && Math.abs(number) < 1e9 ? Long.toString((long) number) : Double.toString(number);
    }

    private static String optional(OptionalDouble number) {
        return number.isPresent() ? String.format(Locale.ROOT, "%.5f", number.getAsDouble()) : "";
    }

    private static OptionalDouble optional(String cell) {
        return cell.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Double.parseDouble(cell));
    }

    /// The last column may hold anything, as a model's name does.
    private static String quoted(String text) {
        return "\"" + text.replace("\"", "\"\"").replaceAll("\\R", " ") + "\"";
    }

    private static String unquoted(String cell) {
        return cell.substring(1, cell.length() - 1).replace("\"\"", "\"");
    }

    /// Rows of one phase, by what `by` says of them, in the table's order.
    static <K> Map<K, List<Entry>> grouped(List<Entry> entries, java.util.function.Function<Entry, K> by) {
        Map<K, List<Entry>> groups = new LinkedHashMap<>();
        for (Entry entry : entries) groups.computeIfAbsent(by.apply(entry), key -> new ArrayList<>()).add(entry);
        return groups;
    }
}

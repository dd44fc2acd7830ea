package atomstudio.app.experiment;

import atomstudio.app.cluster.RunLease;
import atomstudio.app.experiment.ExperimentRow.Key;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// The files of an experiment. Every row is first a file of its own in `rows/`, written beside and moved, so that
/// several processes can add rows; the table `experiment.csv` has them in the order of the plan.
public record ExperimentFolder(Path folder) {
    private static final String FAILURE = "failed.txt";

    public ExperimentFolder {
        folder = folder.toAbsolutePath().normalize();
    }

    /// How far a trial, or the evaluation of the base model, is.
    public enum State { FINISHED, RUNNING, FAILED, UNFINISHED }

    public Path tableFile() {
        return folder.resolve("experiment.csv");
    }

    public Path plotFile() {
        return folder.resolve("experiment.png");
    }

    private Path planFile() {
        return folder.resolve("plan.json");
    }

    Path pictures() {
        return folder.resolve("pictures");
    }

    Path run(Trial trial) {
        return folder.resolve("runs").resolve(trial.folderName());
    }

    public boolean isPlanned() { return exists(planFile()); }

    public ExperimentSettings settings() throws Failure {
        if (!isPlanned())
            throw new Failure.Unreadable(folder + ": expected an experiment with plan.json, found none; start it "
                    + "first, or only plan it with --plan");
        return ExperimentSettings.read(planFile());
    }

    /// Writes the plan. Rows of an earlier plan stay in the table.
    /// @param details the training precision and sampling settings of the table in one line
    public void plan(ExperimentSettings settings, String details) throws Failure {
        requireDetails(details);
        write(planFile(), settings.toJson() + "\n");
    }

    /// Rows of other settings are not comparable.
    /// @throws Failure.Incompatible if the table was created with other settings
    void requireDetails(String details) throws Failure {
        Path file = folder.resolve("settings.txt");
        if (!exists(file)) {
            write(file, details);
            return;
        }
        String found = read(file).strip();
        if (!found.equals(details)) {
            throw new Failure.Incompatible(folder + ": the table was created with other settings: expected " + found
                    + ", found " + details + "; use the same settings, or another --out");
        }
    }

    /// The folder of a unit's rows, which is also that of its lease.
    Path rows(ExperimentUnit unit) {
        return rows(unit.keys().getFirst());
    }

    private Path rows(Key key) {
        String run = key.steps() == 0 ? key.method()
                : key.method() + "-" + ExperimentTable.formatNumber(key.learningRate()) + "-" + key.steps() + "-"
                        + key.seed();
        return folder.resolve("rows").resolve(key.phase()).resolve(key.subject()).resolve(run);
    }

    private Path rowFile(Key key) {
        return rows(key).resolve(key.checkpoint() + ".csv");
    }

    void write(ExperimentRow row) throws Failure {
        ExperimentTable.write(rowFile(row.key()), List.of(row));
    }

    boolean hasRow(Key key) {
        return exists(rowFile(key));
    }

    boolean hasFailed(ExperimentUnit unit) {
        return exists(rows(unit).resolve(FAILURE));
    }

    void writeFailure(ExperimentUnit unit, String reason) throws Failure {
        write(rows(unit).resolve(FAILURE), reason + "\n");
    }

    /// Lets all that failed be tried again.
    public void clearFailures() throws Failure {
        for (Path file : rowFiles(FAILURE)) {
            try {
                Files.deleteIfExists(file);
            } catch (IOException e) {
                throw new Failure.Unwritable(file + ": cannot be deleted: " + e.getMessage(), e);
            }
        }
    }

    /// Why each unit of the plan that failed did so.
    public List<String> failures(ExperimentPlan plan) throws Failure {
        List<String> failures = new ArrayList<>();
        Set<Key> keys = rows().keySet();
        for (ExperimentUnit unit : units(plan)) {
            if (state(unit, keys) == State.FAILED)
                failures.add(folder.resolve("rows").relativize(rows(unit)) + ": "
                        + read(rows(unit).resolve(FAILURE)).strip());
        }
        return failures;
    }

    private State state(ExperimentUnit unit, Set<Key> keys) {
        if (keys.containsAll(unit.keys())) return State.FINISHED;
        if (RunLease.isHeld(rows(unit))) return State.RUNNING;
        return hasFailed(unit) ? State.FAILED : State.UNFINISHED;
    }

    /// Of every unit of the plan. Until phase tune is finished, the trials of phase test are preliminary.
    public List<State> states(ExperimentPlan plan) throws Failure {
        Set<Key> keys = rows().keySet();
        return units(plan).stream().map(unit -> state(unit, keys)).toList();
    }

    private List<ExperimentUnit> units(ExperimentPlan plan) throws Failure {
        List<ExperimentUnit> units = new ArrayList<>();
        for (Phase phase : plan.phases()) units.addAll(units(plan, phase));
        return units;
    }

    /// The units of a phase; those of phase test follow from the rows of phase tune.
    List<ExperimentUnit> units(ExperimentPlan plan, Phase phase) throws Failure {
        Map<Key, ExperimentRow> rows = rows();
        if (phase == Phase.TEST && plan.phases().contains(Phase.TUNE)) {
            for (ExperimentUnit unit : plan.units(Phase.TUNE, List.of()))
                for (Key key : unit.keys()) if (hasRow(key)) add(rows, rowFile(key));
        }
        return plan.units(phase, List.copyOf(rows.values()));
    }

    /// The rows of the table, then those that are only in `rows/`.
    private Map<Key, ExperimentRow> rows() throws Failure {
        Map<Key, ExperimentRow> rows = new LinkedHashMap<>();
        add(rows, tableFile());
        for (Path file : rowFiles(".csv")) add(rows, file);
        return rows;
    }

    private static void add(Map<Key, ExperimentRow> rows, Path table) throws Failure {
        for (ExperimentRow row : ExperimentTable.open(table).rows()) rows.putIfAbsent(row.key(), row);
    }

    private List<Path> rowFiles(String nameEnd) throws Failure {
        Path rows = folder.resolve("rows");
        if (!Files.isDirectory(rows)) return List.of();
        try (Stream<Path> files = Files.walk(rows)) {
            return files.filter(file -> file.getFileName().toString().matches("[^.].*")
                    && file.toString().endsWith(nameEnd)).sorted().toList();
        } catch (IOException | java.io.UncheckedIOException e) {
            throw new Failure.Unreadable(rows + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    /// Writes the table: the rows of the plan in its order, after those of other plans.
    public ExperimentTable collect(ExperimentPlan plan) throws Failure {
        Map<Key, ExperimentRow> others = rows();
        List<ExperimentRow> planned = new ArrayList<>();
        for (ExperimentUnit unit : units(plan)) {
            for (Key key : unit.keys()) Optional.ofNullable(others.remove(key)).ifPresent(planned::add);
        }
        Collection<ExperimentRow> all = Stream.concat(others.values().stream(), planned.stream()).toList();
        if (!all.isEmpty()) ExperimentTable.write(tableFile(), all);
        return ExperimentTable.open(tableFile());
    }

    private static void write(Path file, String text) throws Failure {
        AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static String read(Path file) throws Failure {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /// Opens the file: on a network file system the answer of [Files#exists] may be old.
    private static boolean exists(Path file) {
        try (InputStream _ = Files.newInputStream(file)) {
            return true;
        } catch (NoSuchFileException missing) {
            return false;
        } catch (IOException unreadable) {
            return Files.exists(file);
        }
    }
}

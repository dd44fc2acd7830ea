package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CompareState.SavedRow;
import atomstudio.app.compare.CompareState.SavedRows;
import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.compare.ComparedAdapter.OfFile;
import atomstudio.app.compare.ComparedAdapter.OfRun;
import atomstudio.app.compare.ComparedAdapter.OfTraining;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunSummary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// The rows of a comparison: the base model, then by default the newest finished run of every method on the current
/// model, until the person adds and removes rows.
public final class CompareRows {
    private final Jobs jobs;
    private final FileChoosers choosers;
    private final Consumer<String> problems;
    private final ObservableList<CompareRow> rows = FXCollections.observableArrayList(CompareRow.BASE);
    private final ObservableList<CompareRow> rowsView = FXCollections.unmodifiableObservableList(rows);
    /// Finished runs on the current model, newest first.
    private final ObservableList<RunSummary> runs = FXCollections.observableArrayList();
    private final ObservableList<RunSummary> runsView = FXCollections.unmodifiableObservableList(runs);
    private final Set<Path> seen = new HashSet<>();
    /// Runs whose row was not chosen by the person: a newer run of the method takes its place.
    private final Set<Path> automatic = new HashSet<>();
    private final ReadOnlyObjectWrapper<Optional<TrainingCheckpoint>> training = new ReadOnlyObjectWrapper<>(
            Optional.empty());
    private @Nullable Path model;
    private List<RunSummary> all = List.of();
    /// Of an earlier window; its rows come back when their runs and files are read.
    private SavedRows saved = SavedRows.NONE;

    /// The newest checkpoint of a run that is training.
    public record TrainingCheckpoint(RunSpec run, int step) {}

    /// @param problems gets why a file could not be read
    CompareRows(Jobs jobs, FileChoosers choosers, Consumer<String> problems) {
        this.jobs = jobs;
        this.choosers = choosers;
        this.problems = problems;
    }

    ObservableList<CompareRow> rows() {
        return rowsView;
    }

    /// The finished runs on the current model, newest first.
    public ObservableList<RunSummary> runs() {
        return runsView;
    }

    /// The rows to be saved; those of checkpoints are left out.
    SavedRows saved() {
        return new SavedRows(rows.stream().skip(1).flatMap(row -> switch (row.adapter()) {
            case OfRun of when of.checkpoint().isEmpty() ->
                    Stream.of(new SavedRow(name(of.run().folder()), null, row.strength()));
            case OfFile of -> Stream.of(new SavedRow(null, of.path().toString(), row.strength()));
            case OfRun _,OfTraining _,ComparedAdapter.BaseModel _ -> Stream.<SavedRow>empty();
        }).toList(), names(seen), names(automatic));
    }

    private static String name(Path folder) {
        return folder.getFileName().toString();
    }

    private static List<String> names(Set<Path> folders) {
        return folders.stream().map(CompareRows::name).sorted().toList();
    }

    /// Replaces the rows of runs by those of an earlier window. Runs that it did not know are new.
    void restore(SavedRows earlier) {
        saved = earlier;
        rows.removeIf(row -> row.adapter() instanceof OfRun);
        seen.clear();
        automatic.clear();
        showRuns(all, model);
    }

    /// Inserts a row of an earlier window in its place.
    void restore(CompareRow row) {
        List<CompareRow> now = new ArrayList<>(rows);
        insert(now, row);
        if (!rows.equals(now)) rows.setAll(now);
    }

    private void insert(List<CompareRow> now, CompareRow row) {
        if (now.contains(row)) return;
        int place = 1;
        while (place < now.size() && savedIndex(now.get(place)) <= savedIndex(row)) place++;
        now.add(place, row);
    }

    private int savedIndex(CompareRow row) {
        for (int i = 0; i < saved.rows().size(); i++) {
            SavedRow one = saved.rows().get(i);
            boolean equal = one.run() != null ? folder(row).map(CompareRows::name).equals(Optional.of(one.run()))
                    : row.adapter().file().map(Path::toString).equals(Optional.ofNullable(one.file()));
            if (equal && one.strength() == row.strength()) return i;
        }
        return Integer.MAX_VALUE;
    }

    private void restore(List<CompareRow> now, RunSummary run) {
        for (SavedRow row : saved.rows())
            if (name(run.folder()).equals(row.run())) insert(now, new CompareRow(new OfRun(run), row.strength()));
        if (saved.automatic().contains(name(run.folder()))) automatic.add(run.folder());
    }

    /// @param runsOfSubject newest first
    /// @param currentModel  another model has other rows
    void showRuns(List<RunSummary> runsOfSubject, @Nullable Path currentModel) {
        all = List.copyOf(runsOfSubject);
        List<CompareRow> now = new ArrayList<>(rows);
        if (!Objects.equals(currentModel, model)) {
            now.removeIf(row -> row.adapter() instanceof OfRun || row.adapter() instanceof OfTraining);
            seen.clear();
            automatic.clear();
            if (model != null) saved = SavedRows.NONE;
        }
        model = currentModel;
        List<RunSummary> usable = all.stream()
                .filter(run -> run.isDone() && run.spec().model().equals(currentModel))
                .toList();
        now.removeIf(row -> folder(row).isPresent() && find(usable, row).isEmpty());
        now.replaceAll(row -> find(usable, row).map(run -> refreshed(row, run)).orElse(row));
        usable.forEach(run -> finish(now, run));
        // A run that returns from the trash is new again.
        seen.retainAll(usable.stream().map(RunSummary::folder).toList());
        for (RunSummary run : usable.reversed()) {
            if (!seen.add(run.folder())) continue;
            if (saved.seen().contains(name(run.folder()))) restore(now, run);
            else addAutomatic(now, run, usable);
        }
        if (now.stream().skip(1).allMatch(row -> folder(row).map(automatic::contains).orElse(false)))
            now.subList(1, now.size()).sort(Comparator.comparing(row -> ((OfRun) row.adapter()).run().spec().choice()));
        if (!runs.equals(usable)) runs.setAll(usable);
        if (!rows.equals(now)) rows.setAll(now);
    }

    /// The result of a run takes the place of its checkpoint.
    private void finish(List<CompareRow> now, RunSummary run) {
        for (int i = 0; i < now.size(); i++)
            if (now.get(i).adapter() instanceof OfTraining of && of.run().folder().equals(run.folder())) {
                now.set(i, new CompareRow(new OfRun(run), now.get(i).strength()));
                seen.add(run.folder());
            }
    }

    /// Offers the newest checkpoint of the subject's run as a row.
    public void offerTraining(Optional<TrainingCheckpoint> checkpoint) {
        training.set(checkpoint.filter(one -> one.run.model().equals(model)));
    }

    /// Empty if no run of the subject is training on the model, or has no checkpoint yet.
    public ReadOnlyObjectProperty<Optional<TrainingCheckpoint>> training() {
        return training.getReadOnlyProperty();
    }

    /// Shows the newest checkpoint, in the place of an older one of its run or as a new row.
    public void addTraining() {
        training.get()
                .ifPresent(checkpoint -> jobs.start(text("compare.reading", checkpoint.run.folder()),
                        cancellation -> OfTraining.read(checkpoint.run), this::show, problems));
    }

    private void show(OfTraining newest) {
        List<CompareRow> now = new ArrayList<>(rows);
        now.replaceAll(row -> row.adapter() instanceof OfTraining of && of.run().folder().equals(newest.run().folder())
                ? new CompareRow(newest, row.strength())
                : row);
        if (now.stream().noneMatch(row -> row.adapter().equals(newest))) now.add(new CompareRow(newest, 1));
        if (!rows.equals(now)) rows.setAll(now);
    }

    private void addAutomatic(List<CompareRow> now, RunSummary run, List<RunSummary> newestFirst) {
        CompareRow row = new CompareRow(new OfRun(run), 1);
        for (int i = 0; i < now.size(); i++) {
            if (!(now.get(i).adapter() instanceof OfRun older) || older.run().spec().choice() != run.spec().choice())
                continue;
            boolean newer = newestFirst.indexOf(run) < newestFirst.indexOf(older.run());
            if (!newer || !automatic.remove(older.run().folder())) return;
            now.set(i, row);
            automatic.add(run.folder());
            return;
        }
        now.add(row);
        automatic.add(run.folder());
    }

    private static Optional<Path> folder(CompareRow row) {
        return row.adapter() instanceof OfRun of ? Optional.of(of.run().folder()) : Optional.empty();
    }

    private static Optional<RunSummary> find(List<RunSummary> runs, CompareRow row) {
        return folder(row).flatMap(folder -> runs.stream().filter(run -> run.folder().equals(folder)).findFirst());
    }

    private static CompareRow refreshed(CompareRow row, RunSummary run) {
        return new CompareRow(new OfRun(run, ((OfRun) row.adapter()).checkpoint()), row.strength());
    }

    /// Adds a row for each chosen adapter file.
    public void addFiles() {
        for (Path file : choosers.adapters(text("compare.add-file")))
            readFile(file, found -> add(new CompareRow(found, 1)));
    }

    void readFile(Path file, Consumer<OfFile> onRead) {
        jobs.start(text("compare.reading", file), cancellation -> OfFile.read(file), onRead, problems);
    }

    /// Appends a row, unless there is an equal one.
    public void add(CompareRow row) {
        folder(row).ifPresent(automatic::remove);
        if (!rows.contains(row)) rows.add(row);
    }

    public void remove(CompareRow row) {
        if (!row.equals(CompareRow.BASE)) rows.remove(row);
    }

    /// Replaces a row by one of another strength, unless there is an equal one.
    public void setStrength(CompareRow row, double strength) {
        int index = rows.indexOf(row);
        CompareRow changed = new CompareRow(row.adapter(), strength);
        if (index < 0 || rows.contains(changed)) return;
        folder(row).ifPresent(automatic::remove);
        rows.set(index, changed);
    }

    public boolean isCompared(Path run) {
        return rows.stream().anyMatch(row -> folder(row).equals(Optional.of(run)));
    }

    /// Shows a run at strength 1, or removes its rows.
    public void toggle(RunSummary run) {
        if (isCompared(run.folder())) rows.removeIf(row -> folder(row).equals(Optional.of(run.folder())));
        else add(new CompareRow(new OfRun(run), 1));
    }
}

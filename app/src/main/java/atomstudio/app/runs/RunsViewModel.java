package atomstudio.app.runs;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.Jobs;
import atomstudio.app.process.RunSpec;
import atomstudio.app.trash.Deletions;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.search.SearchTable;
import atomstudio.tuning.train.StructureSearch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// A subject's past runs and the run that is shown.
public final class RunsViewModel {
    private final Jobs jobs;
    private final RunStore store;
    private final RunQueue queue;
    private final Deletions deletions;
    private final String subject;
    private final ObservableList<RunSummary> runs = FXCollections.observableArrayList();
    private final ObservableList<RunSummary> runsView = FXCollections.unmodifiableObservableList(runs);
    private final ObservableList<RunStore.DamagedRun> damaged = FXCollections.observableArrayList();
    private final ObservableList<RunStore.DamagedRun> damagedView = FXCollections.unmodifiableObservableList(damaged);
    private final ReadOnlyObjectWrapper<@Nullable ShownRun> shownRun = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyObjectWrapper<List<SearchTable.Point>> searched = new ReadOnlyObjectWrapper<>(List.of());
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");

    public RunsViewModel(Jobs jobs, RunStore store, RunQueue queue, Deletions deletions,
            String subject) {
        this.jobs = jobs;
        this.store = store;
        this.queue = queue;
        this.deletions = deletions;
        this.subject = subject;
        shownRun.map(run -> run.spec().folder()).subscribe(this::readSearch);
        queue.current().subscribe(now -> update());
        queue.progress().subscribe(now -> update());
        queue.addEndListener((spec, progress) -> {
            if (spec.subject().equals(subject)) onEnded(spec, progress);
        });
        refresh();
    }

    /// Newest first.
    public ObservableList<RunSummary> runs() {
        return runsView;
    }

    /// Runs that cannot be read.
    public ObservableList<RunStore.DamagedRun> damaged() {
        return damagedView;
    }

    /// The run whose loss and previews are shown: the current one, or a past one that was opened. Null: none.
    public ReadOnlyObjectProperty<@Nullable ShownRun> shownRun() {
        return shownRun.getReadOnlyProperty();
    }

    /// The structures of the search in the shown run's folder; none if it has not been searched.
    public ReadOnlyObjectProperty<List<SearchTable.Point>> searched() {
        return searched.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    public RunQueue queue() {
        return queue;
    }

    /// Whether a run of this subject is training.
    public boolean isTraining() {
        RunSpec current = queue.current().get();
        return current != null && current.subject().equals(subject);
    }

    /// An unused folder for a new run.
    public Path newRunFolder(MethodName method) {
        List<Path> reserved = new ArrayList<>(queue.waiting().stream().map(RunSpec::folder).toList());
        RunSpec current = queue.current().get();
        if (current != null) reserved.add(current.folder());
        return store.newFolder(subject, method, reserved);
    }

    public void refresh() {
        jobs.start(text("runs.listing-the-runs-of", subject), cancellation -> store.listAll(subject), found -> {
            RunSpec current = queue.current().get();
            damaged.setAll(found.damaged());
            runs.setAll(found.runs()
                    .stream()
                    .filter(run -> current == null || !run.folder().equals(current.folder()))
                    .toList());
        }, problem::set);
    }

    public void open(RunSummary run) {
        shownRun.set(new ShownRun(run.spec(), run.progress(), ShownRun.Liveness.PAST));
    }

    /// Returns to the gallery, or to the current run.
    public void close() {
        shownRun.set(null);
        update();
    }

    /// Resumes an unfinished run from its last checkpoint.
    public void resume(RunSummary run) {
        problem.set("");
        runs.remove(run);
        queue.add(run.spec());
    }

    /// Moves a run to the trash.
    public void delete(RunSummary run) {
        problem.set("");
        if (shownRun.get() != null && shownRun.get().spec().folder().equals(run.folder())) close();
        deletions.delete(text("runs.run", run.folder().getFileName()), List.of(run.folder()), this::refresh);
    }

    /// Moves a run that cannot be read to the trash.
    public void delete(RunStore.DamagedRun run) {
        deletions.delete(text("runs.run", run.folder().getFileName()), List.of(run.folder()), this::refresh);
    }

    /// Gives a run a name and a note.
    public void label(RunSummary run, RunLabel label) {
        problem.set("");
        jobs.start(text("runs.saving-the-name-of", run.folder().getFileName()), cancellation -> {
            label.write(run.folder());
            return label;
        }, saved -> refresh(), problem::set);
    }

    /// Requests a preview of the current run.
    public void requestPreview(String prompt) {
        queue.requestPreview(prompt);
    }

    private void readSearch(@Nullable Path folder) {
        searched.set(List.of());
        if (folder == null) return;
        Path table = folder.resolve(StructureSearch.FOLDER).resolve(StructureSearch.TABLE);
        jobs.start(text("runs.reading-the-search-of", folder.getFileName()),
                cancellation -> new SearchTable(table).points(), points -> {
                    ShownRun shown = shownRun.get();
                    if (shown != null && shown.spec().folder().equals(folder)) searched.set(points);
                }, problem::set);
    }

    private void update() {
        RunSpec current = queue.current().get();
        if (current == null || !current.subject().equals(subject)) return;
        ShownRun before = shownRun.get();
        if (before != null && before.liveness() == ShownRun.Liveness.PAST
                && !before.spec().folder().equals(current.folder()))
            return;
        shownRun.set(new ShownRun(current, queue.progress().get(), ShownRun.Liveness.LIVE));
    }

    /// A finished run closes and shows the gallery; a failed or cancelled one stays open with its reason.
    private void onEnded(RunSpec spec, RunProgress progress) {
        ShownRun before = shownRun.get();
        if (before != null && before.spec().folder().equals(spec.folder())) {
            shownRun.set(progress.phase() == RunProgress.RunPhase.DONE ? null
                    : new ShownRun(spec, progress, ShownRun.Liveness.PAST));
        }
        if (progress.phase() == RunProgress.RunPhase.FAILED) problem.set(spec.title() + ": " + progress.message());
        refresh();
    }

    public record ShownRun(RunSpec spec, RunProgress progress, Liveness liveness) {
        public enum Liveness { LIVE, PAST }
    }
}

package atomstudio.app.runs;

import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.process.RunSpec;
import atomstudio.tuning.method.MethodName;
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

/// The past runs of a subject, and the one that is looked at.
public final class RunsViewModel {
    private final Jobs jobs;
    private final RunStore store;
    private final RunQueue queue;
    private final String subject;
    private final ObservableList<RunSummary> runs = FXCollections.observableArrayList();
    private final ObservableList<RunSummary> runsView = FXCollections.unmodifiableObservableList(runs);
    private final ReadOnlyObjectWrapper<@Nullable ShownRun> shownRun = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");

    public RunsViewModel(Jobs jobs, RunStore store, RunQueue queue, String subject) {
        this.jobs = jobs;
        this.store = store;
        this.queue = queue;
        this.subject = subject;
        queue.current().subscribe(now -> update());
        queue.progress().subscribe(now -> update());
        queue.addEndListener((spec, progress) -> {
            if (spec.subject().equals(subject)) onEnded(spec, progress);
        });
        refresh();
    }

    /// The newest first.
    public ObservableList<RunSummary> runs() {
        return runsView;
    }

    /// The run whose curve and previews are shown: the one being tuned, or a past one that was opened.
    public ReadOnlyObjectProperty<@Nullable ShownRun> shownRun() {
        return shownRun.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    public RunQueue queue() {
        return queue;
    }

    /// Whether one of this subject's runs is being tuned now.
    public boolean isTraining() {
        RunSpec current = queue.current().get();
        return current != null && current.subject().equals(subject);
    }

    /// A run folder's name that nothing has yet.
    public Path newRunFolder(MethodName method) {
        List<Path> reserved = new ArrayList<>(queue.waiting().stream().map(RunSpec::folder).toList());
        RunSpec current = queue.current().get();
        if (current != null) reserved.add(current.folder());
        return store.newFolder(subject, method, reserved);
    }

    public void refresh() {
        jobs.start("Listing the runs of " + subject, cancellation -> store.list(subject), outcome -> {
            switch (outcome) {
                case JobOutcome.Succeeded<List<RunSummary>>(List<RunSummary> found) -> {
                    RunSpec current = queue.current().get();
                    runs.setAll(found.stream()
                            .filter(run -> current == null || !run.folder().equals(current.folder()))
                            .toList());
                }
                case JobOutcome.Failed<List<RunSummary>>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<List<RunSummary>>() -> {}
            }
        });
    }

    public void open(RunSummary run) {
        shownRun.set(new ShownRun(run.spec(), run.progress(), ShownRun.Liveness.PAST));
    }

    /// Back from a run to the galleries, or to the run that is being tuned.
    public void close() {
        shownRun.set(null);
        update();
    }

    /// Goes on with an unfinished run, from its last checkpoint.
    public void resume(RunSummary run) {
        problem.set("");
        runs.remove(run);
        queue.add(run.spec());
    }

    public void delete(RunSummary run) {
        problem.set("");
        if (shownRun.get() != null && shownRun.get().spec().folder().equals(run.folder())) close();
        jobs.start("Deleting " + run.folder().getFileName(), cancellation -> {
            store.delete(run.folder());
            return run;
        }, outcome -> {
            if (outcome instanceof JobOutcome.Failed<RunSummary>(String message)) problem.set(message);
            refresh();
        });
    }

    /// Asks the run on its way for a picture from what it has learned by now.
    public void requestPreview(String prompt) {
        queue.requestPreview(prompt);
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

    /// A finished run makes room for the galleries; one that failed or was cancelled stays in view with its reason.
    private void onEnded(RunSpec spec, RunProgress progress) {
        ShownRun before = shownRun.get();
        if (before != null && before.spec().folder().equals(spec.folder())) {
            shownRun.set(progress.phase() == RunProgress.RunPhase.DONE ? null
                    : new ShownRun(spec, progress, ShownRun.Liveness.PAST));
        }
        if (progress.phase() == RunProgress.RunPhase.FAILED) problem.set(spec.title() + ": " + progress.message());
        refresh();
    }

    /// A run in view.
    public record ShownRun(RunSpec spec, RunProgress progress, Liveness liveness) {
        public enum Liveness { LIVE, PAST }
    }
}

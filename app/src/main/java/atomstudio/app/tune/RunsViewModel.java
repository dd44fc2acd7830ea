package atomstudio.app.tune;

import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.tuning.method.MethodSettings.Choice;
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
    private final ReadOnlyObjectWrapper<@Nullable WatchedRun> watched = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");

    public RunsViewModel(Jobs jobs, RunStore store, RunQueue queue, String subject) {
        this.jobs = jobs;
        this.store = store;
        this.queue = queue;
        this.subject = subject;
        queue.current().subscribe(now -> follow());
        queue.progress().subscribe(now -> follow());
        queue.onEnded((order, last) -> {
            if (order.subject().equals(subject)) ended(order, last);
        });
        refresh();
    }

    /// The newest first.
    public ObservableList<RunSummary> runs() {
        return runsView;
    }

    /// The run whose curve and previews are shown: the one being tuned, or a past one that was opened.
    public ReadOnlyObjectProperty<@Nullable WatchedRun> watched() {
        return watched.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    public RunQueue queue() {
        return queue;
    }

    /// Whether one of this subject's runs is being tuned now.
    public boolean tuning() {
        TuneOrder now = queue.current().get();
        return now != null && now.subject().equals(subject);
    }

    /// A run folder's name that nothing has yet.
    public Path free(Choice method) {
        List<Path> promised = new ArrayList<>(queue.waiting().stream().map(TuneOrder::run).toList());
        TuneOrder now = queue.current().get();
        if (now != null) promised.add(now.run());
        return store.free(subject, method, promised);
    }

    public void refresh() {
        jobs.start("Listing the runs of " + subject, cancellation -> store.of(subject), outcome -> {
            switch (outcome) {
                case JobOutcome.Succeeded<List<RunSummary>>(List<RunSummary> found) -> {
                    TuneOrder now = queue.current().get();
                    runs.setAll(found.stream().filter(run -> now == null || !run.folder().equals(now.run())).toList());
                }
                case JobOutcome.Failed<List<RunSummary>>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<List<RunSummary>>() -> {}
            }
        });
    }

    public void open(RunSummary run) {
        watched.set(new WatchedRun(run.order(), run.progress(), WatchedRun.When.PAST));
    }

    /// Back from a run to the galleries, or to the run that is being tuned.
    public void close() {
        watched.set(null);
        follow();
    }

    /// Goes on with an unfinished run, from its last checkpoint.
    public void resume(RunSummary run) {
        problem.set("");
        runs.remove(run);
        queue.add(run.order());
    }

    public void delete(RunSummary run) {
        problem.set("");
        if (watched.get() != null && watched.get().order().run().equals(run.folder())) close();
        jobs.start("Deleting " + run.folder().getFileName(), cancellation -> {
            store.delete(run.folder());
            return run;
        }, outcome -> {
            if (outcome instanceof JobOutcome.Failed<RunSummary>(String message)) problem.set(message);
            refresh();
        });
    }

    /// Asks the run on its way for a picture from what it has learned by now.
    public void generate(String prompt) {
        queue.generate(prompt);
    }

    private void follow() {
        TuneOrder now = queue.current().get();
        if (now == null || !now.subject().equals(subject)) return;
        WatchedRun before = watched.get();
        if (before != null && before.when() == WatchedRun.When.PAST && !before.order().run().equals(now.run())) return;
        watched.set(new WatchedRun(now, queue.progress().get(), WatchedRun.When.NOW));
    }

    /// A finished run makes room for the galleries; one that failed or was cancelled stays in view with its reason.
    private void ended(TuneOrder order, RunProgress last) {
        WatchedRun before = watched.get();
        if (before != null && before.order().run().equals(order.run())) {
            watched.set(last.state() == RunProgress.State.DONE ? null : new WatchedRun(order, last, WatchedRun.When.PAST));
        }
        if (last.state() == RunProgress.State.FAILED) problem.set(order.title() + ": " + last.message());
        refresh();
    }
}

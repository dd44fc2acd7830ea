package atomstudio.app.tune;

import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// The one run that is tuned now, and those that wait for it: a machine tunes one at a time.
public final class RunQueue {
    private final Jobs jobs;
    private final Tuner tuner;
    private final ReadOnlyObjectWrapper<@Nullable TuneOrder> current = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyObjectWrapper<RunProgress> progress = new ReadOnlyObjectWrapper<>(RunProgress.none(RunProgress.State.WAITING));
    private final ReadOnlyStringWrapper asked = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper drawing = new ReadOnlyStringWrapper("");
    private final ObservableList<TuneOrder> waiting = FXCollections.observableArrayList();
    private final ObservableList<TuneOrder> waitingView = FXCollections.unmodifiableObservableList(waiting);
    private final List<BiConsumer<TuneOrder, RunProgress>> listeners = new ArrayList<>();
    private @Nullable LiveRun live;

    public RunQueue(Jobs jobs, Tuner tuner) {
        this.jobs = jobs;
        this.tuner = tuner;
    }

    /// What is tuned now; null when nothing is.
    public ReadOnlyObjectProperty<@Nullable TuneOrder> current() {
        return current.getReadOnlyProperty();
    }

    /// Where the current run stands, or how the last one ended.
    public ReadOnlyObjectProperty<RunProgress> progress() {
        return progress.getReadOnlyProperty();
    }

    /// What the run was asked to do and has not done yet (`Pausing…`); empty otherwise.
    public ReadOnlyStringProperty asked() {
        return asked.getReadOnlyProperty();
    }

    /// Which picture a person asked for is not there yet; empty when none is.
    public ReadOnlyStringProperty drawing() {
        return drawing.getReadOnlyProperty();
    }

    public ObservableList<TuneOrder> waiting() {
        return waitingView;
    }

    /// Calls `listener` with every run that ends, before the next one starts.
    public void onEnded(BiConsumer<TuneOrder, RunProgress> listener) {
        listeners.add(listener);
    }

    public boolean busy() {
        return current.get() != null;
    }

    /// Starts the run, or lets it wait for those before it.
    public void add(TuneOrder order) {
        if (busy()) waiting.add(order);
        else start(order);
    }

    public void remove(TuneOrder order) {
        waiting.remove(order);
    }

    public void pause() {
        ask(TuneProcess.Order.PAUSE, "Pausing…");
    }

    public void resume() {
        ask(TuneProcess.Order.RESUME, "Going on…");
    }

    /// Ends the current run with a checkpoint, so that it can be gone on with later.
    public void cancel() {
        ask(TuneProcess.Order.STOP, "Stopping after this step…");
    }

    /// Ends everything: nothing waits any more, and the current run writes its checkpoint.
    public void stopAll() {
        waiting.clear();
        cancel();
    }

    /// A picture of this prompt from what the run has learned by now; it goes on, or stays paused.
    public void generate(String prompt) {
        if (live == null || prompt.isBlank()) return;
        drawing.set("Making a picture of “" + prompt.strip() + "”…");
        live.wish(process -> process.generate(prompt));
    }

    private void ask(TuneProcess.Order order, String what) {
        if (live == null) return;
        asked.set(what);
        live.wish(process -> process.send(order));
    }

    private void start(TuneOrder order) {
        LiveRun run = new LiveRun(order);
        live = run;
        asked.set("");
        drawing.set("");
        progress.set(RunProgress.none(RunProgress.State.STARTING));
        current.set(order);
        jobs.start("Tuning " + order.subject(), cancellation -> run.follow(tuner, cancellation, jobs.deliverLatest(now -> follow(run, now))), outcome -> {
            switch (outcome) {
                case JobOutcome.Succeeded<RunProgress>(RunProgress last) -> ended(order, last);
                case JobOutcome.Failed<RunProgress>(String message) -> ended(order, progress.get().with(RunProgress.State.FAILED, message));
                case JobOutcome.Cancelled<RunProgress>() -> ended(order, progress.get().with(RunProgress.State.CANCELLED, ""));
            }
        });
    }

    private void follow(LiveRun run, RunProgress now) {
        if (live != run) return;
        RunProgress before = progress.get();
        if (now.state() != before.state()) asked.set("");
        // An answer is a picture that was asked for, or a line why there is none.
        if (now.asked() > before.asked() || now.history().notes().size() > before.history().notes().size()) drawing.set("");
        progress.set(now);
    }

    private void ended(TuneOrder order, RunProgress last) {
        live = null;
        asked.set("");
        drawing.set("");
        progress.set(last);
        current.set(null);
        for (BiConsumer<TuneOrder, RunProgress> listener : List.copyOf(listeners)) listener.accept(order, last);
        if (!busy() && !waiting.isEmpty()) start(waiting.removeFirst());
    }
}

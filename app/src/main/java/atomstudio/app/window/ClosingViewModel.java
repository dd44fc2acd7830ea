package atomstudio.app.window;

import atomstudio.app.jobs.Jobs;
import atomstudio.app.tune.RunProgress;
import atomstudio.app.tune.RunQueue;
import atomstudio.app.tune.RunSpec;
import atomstudio.app.tune.RunStore;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;

/// Closing the window. While something is tuned it asks first: keep the run for later, throw it away, or go on.
public final class ClosingViewModel {
    public enum State { OPEN, ASKING, STOPPING, CLOSED }

    private final Jobs jobs;
    private final RunQueue queue;
    private final RunStore runs;
    private final ReadOnlyObjectWrapper<State> state = new ReadOnlyObjectWrapper<>(State.OPEN);
    private boolean discard;

    public ClosingViewModel(Jobs jobs, RunQueue queue, RunStore runs) {
        this.jobs = jobs;
        this.queue = queue;
        this.runs = runs;
        queue.addEndListener(this::ended);
    }

    public ReadOnlyObjectProperty<State> state() {
        return state.getReadOnlyProperty();
    }

    /// Somebody wants to close the window: it closes if nothing is being tuned, or else the question is asked.
    public void request() {
        if (state.get() != State.OPEN) return;
        state.set(queue.isBusy() ? State.ASKING : State.CLOSED);
    }

    /// Goes on tuning, with the window open.
    public void stay() {
        if (state.get() == State.ASKING) state.set(State.OPEN);
    }

    /// Writes a checkpoint, then closes: the run can be gone on with exactly.
    public void keep() {
        stop(false);
    }

    /// Stops, deletes the unfinished run, then closes.
    public void discard() {
        stop(true);
    }

    private void stop(boolean deleted) {
        if (state.get() != State.ASKING) return;
        discard = deleted;
        if (!queue.isBusy()) {
            state.set(State.CLOSED);
            return;
        }
        state.set(State.STOPPING);
        queue.stopAll();
    }

    /// Does not wait any longer for the checkpoint: the end of its input makes the process write it and end by itself.
    public void closeNow() {
        if (state.get() == State.STOPPING) state.set(State.CLOSED);
    }

    private void ended(RunSpec order, RunProgress last) {
        if (state.get() == State.ASKING) {
            // It was done before the question was answered.
            return;
        }
        if (state.get() != State.STOPPING) return;
        if (!discard || last.phase() == RunProgress.RunPhase.DONE) {
            state.set(State.CLOSED);
            return;
        }
        jobs.start("Deleting " + order.folder().getFileName(), cancellation -> {
            runs.delete(order.folder());
            return order;
        }, outcome -> state.set(State.CLOSED));
    }
}

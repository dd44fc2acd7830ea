package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.Jobs;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunQueue;
import atomstudio.app.trash.Trash;
import java.nio.file.Files;
import java.util.List;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;

/// Closing the window. During a run the user chooses: save progress and quit, discard the run, or cancel.
public final class ClosingViewModel {
    public enum ClosingState { OPEN, CONFIRMING, STOPPING, CLOSED }

    private final Jobs jobs;
    private final RunQueue queue;
    private final Trash trash;
    private final ReadOnlyObjectWrapper<ClosingState> state = new ReadOnlyObjectWrapper<>(ClosingState.OPEN);
    private boolean discard;

    public ClosingViewModel(Jobs jobs, RunQueue queue, Trash trash) {
        this.jobs = jobs;
        this.queue = queue;
        this.trash = trash;
        queue.addEndListener(this::onRunEnded);
    }

    public ReadOnlyObjectProperty<ClosingState> state() {
        return state.getReadOnlyProperty();
    }

    /// Closes the window, or opens the dialog if a run is in progress.
    public void requestClose() {
        if (state.get() != ClosingState.OPEN) return;
        state.set(queue.isBusy() ? ClosingState.CONFIRMING : ClosingState.CLOSED);
    }

    /// Closes the dialog; the window stays open and training continues.
    public void cancel() {
        if (state.get() == ClosingState.CONFIRMING) state.set(ClosingState.OPEN);
    }

    /// Stops with a checkpoint, then closes; the run can be resumed exactly.
    public void saveAndClose() {
        stop(false);
    }

    /// Stops, moves the unfinished run to the trash, then closes.
    public void discard() {
        stop(true);
    }

    private void stop(boolean discardRun) {
        if (state.get() != ClosingState.CONFIRMING) return;
        discard = discardRun;
        if (!queue.isBusy()) {
            state.set(ClosingState.CLOSED);
            return;
        }
        state.set(ClosingState.STOPPING);
        if (discardRun) queue.suspendWithoutCurrent();
        else queue.suspend();
    }

    /// Closes without waiting: the training process still writes its checkpoint when its input closes.
    public void closeNow() {
        if (state.get() == ClosingState.STOPPING) state.set(ClosingState.CLOSED);
    }

    private void onRunEnded(RunSpec spec, RunProgress progress) {
        if (state.get() == ClosingState.CONFIRMING) {
            // The run ended while the dialog was open.
            return;
        }
        if (state.get() != ClosingState.STOPPING) return;
        if (!discard || progress.phase() == RunProgress.RunPhase.DONE) {
            state.set(ClosingState.CLOSED);
            return;
        }
        jobs.start(text("window.deleting", spec.folder().getFileName()), cancellation -> {
            if (Files.exists(spec.folder()))
                trash.move(text("window.run", spec.folder().getFileName()), List.of(spec.folder()));
            return spec;
        }, outcome -> state.set(ClosingState.CLOSED));
    }
}

package atomstudio.app.window;

import atomstudio.app.freedesktop.Taskbar.TaskbarState;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunProgress.RunPhase;
import atomstudio.app.runs.RunQueue;
import java.util.OptionalInt;
import javafx.beans.property.BooleanProperty;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.SimpleBooleanProperty;
import javafx.collections.ListChangeListener;

/// What the taskbar shows: the progress of the run, else that of the image queue. A run that ends while the user is in
/// another window calls for attention, until the user returns.
final class TaskbarProgress {
    private final RunQueue runs;
    private final JobQueue images;
    private final BooleanProperty windowFocused = new SimpleBooleanProperty();
    private final ReadOnlyObjectWrapper<TaskbarState> state = new ReadOnlyObjectWrapper<>(TaskbarState.NONE);
    /// Image jobs since the queue was last empty.
    private int queued;
    private boolean urgent;

    TaskbarProgress(RunQueue runs, JobQueue images) {
        this.runs = runs;
        this.images = images;
        runs.current().subscribe(now -> update());
        runs.progress().subscribe(now -> update());
        runs.addEndListener(this::onRunEnded);
        images.entries().addListener(this::onImagesChanged);
        windowFocused.subscribe(focused -> {
            urgent &= !focused;
            update();
        });
    }

    ReadOnlyObjectProperty<TaskbarState> state() {
        return state.getReadOnlyProperty();
    }

    /// Whether the user is in the window; set by the stage.
    BooleanProperty windowFocused() {
        return windowFocused;
    }

    private void onRunEnded(RunSpec spec, RunProgress progress) {
        boolean isOver = progress.phase() == RunPhase.DONE || progress.phase() == RunPhase.FAILED;
        urgent |= isOver && !windowFocused.get();
        update();
    }

    private void onImagesChanged(ListChangeListener.Change<? extends JobQueue.QueuedJob> change) {
        while (change.next()) {
            queued += change.getAddedSize();
            change.getAddedSubList().forEach(job -> job.fraction().subscribe(now -> update()));
        }
        if (images.isIdle()) queued = 0;
        update();
    }

    private void update() {
        state.set(new TaskbarState(percent(), urgent));
    }

    private OptionalInt percent() {
        if (runs.isBusy()) return percent(runs.progress().get().fraction());
        double done = queued - images.entries().size()
                + images.entries().stream().mapToDouble(job -> job.fraction().get()).sum();
        // Short jobs report no progress: metrics, and images that follow a slider.
        return done == 0 ? OptionalInt.empty() : percent(Math.clamp(done / queued, 0, 1));
    }

    private static OptionalInt percent(double fraction) {
        return OptionalInt.of((int) Math.round(100 * fraction));
    }
}

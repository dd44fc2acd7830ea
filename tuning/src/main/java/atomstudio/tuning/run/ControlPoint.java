package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.StepListener;
import java.util.Optional;

/// A point between two pieces of a run's work at which it handles pause, stop and requested previews.
public final class ControlPoint {
    private static final long POLL_MILLIS = 50;

    private final RunControl control;
    private final EventSink events;

    public ControlPoint(RunControl control, EventSink events) {
        this.control = control;
        this.events = events;
    }

    /// Never pauses or stops.
    public static ControlPoint uncontrolled() {
        return new ControlPoint(RunControl.none(), EventSink.none());
    }

    /// The work that is paused.
    public interface RunningWork {
        void saveCheckpoint() throws Failure;

        void makePreview(String prompt) throws Failure;
    }

    /// Whether to stop now. Waits while paused, and makes requested previews.
    public boolean shouldStop(int step, RunningWork work) throws Failure {
        RunControl.RunCommand command = control.command();
        if (command == RunControl.RunCommand.PAUSE) {
            work.saveCheckpoint();
            events.emit(new TrainingEvent.Paused(step));
            while ((command = control.command()) == RunControl.RunCommand.PAUSE) {
                handlePrompts(work);
                try {
                    Thread.sleep(POLL_MILLIS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return true;
                }
            }
            if (command == RunControl.RunCommand.CONTINUE) events.emit(new TrainingEvent.Resumed(step));
        }
        if (command == RunControl.RunCommand.CONTINUE) handlePrompts(work);
        return command == RunControl.RunCommand.STOP || Thread.currentThread().isInterrupted();
    }

    /// For work before the first step, when there is nothing to save or preview.
    public boolean shouldStopBeforeTraining(int step) throws Failure {
        return shouldStop(step, new RunningWork() {
            @Override
            public void saveCheckpoint() {}

            @Override
            public void makePreview(String prompt) throws Failure {
                events.emit(new TrainingEvent.Note(step,
                        "no preview of \"" + prompt + "\" yet: training has not started; request it again later"));
            }
        });
    }

    /// Ends sampling when the run is to stop.
    public StepListener samplingListener() {
        return progress -> control.command() == RunControl.RunCommand.STOP ? StepListener.Next.STOP
                : StepListener.Next.CONTINUE;
    }

    private void handlePrompts(RunningWork work) throws Failure {
        Optional<String> prompt = control.nextPreviewPrompt();
        while (prompt.isPresent()) {
            work.makePreview(prompt.get());
            prompt = control.nextPreviewPrompt();
        }
    }
}

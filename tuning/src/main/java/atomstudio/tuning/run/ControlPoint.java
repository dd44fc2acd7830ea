package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.StepListener;
import java.util.Optional;

/// Where a run can be interfered with: between two pieces of its work.
public final class ControlPoint {
    private static final long POLL_MILLIS = 50;

    private final RunControl control;
    private final EventSink journal;

    public ControlPoint(RunControl control, EventSink journal) {
        this.control = control;
        this.journal = journal;
    }

    /// Through which everything goes.
    public static ControlPoint uncontrolled() {
        return new ControlPoint(RunControl.none(), EventSink.none());
    }

    /// What a place of work can do while it is held.
    public interface RunningWork {
        /// Keeps what has been reached.
        void saveCheckpoint() throws Failure;

        void makePreview(String prompt) throws Failure;
    }

    /// Whether to stop now. Waits while paused, and answers prompts.
    public boolean shouldStop(int step, RunningWork work) throws Failure {
        RunControl.RunCommand command = control.command();
        if (command == RunControl.RunCommand.PAUSE) {
            work.saveCheckpoint();
            journal.emit(new TrainingEvent.Paused(step));
            while ((command = control.command()) == RunControl.RunCommand.PAUSE) {
                handlePrompts(work);
                try {
                    Thread.sleep(POLL_MILLIS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return true;
                }
            }
            if (command == RunControl.RunCommand.CONTINUE) journal.emit(new TrainingEvent.Resumed(step));
        }
        if (command == RunControl.RunCommand.CONTINUE) handlePrompts(work);
        return command == RunControl.RunCommand.STOP || Thread.currentThread().isInterrupted();
    }

    /// For work before the first step: nothing is reached yet.
    public boolean shouldStopBeforeTraining(int step) throws Failure {
        return shouldStop(step, new RunningWork() {
            @Override
            public void saveCheckpoint() {}

            @Override
            public void makePreview(String prompt) throws Failure {
                journal.emit(new TrainingEvent.Note(step,
                        "\"" + prompt + "\" cannot be made yet: training has not begun; ask again once it has"));
            }
        });
    }

    /// For the sampler: ends it when the run is to stop.
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

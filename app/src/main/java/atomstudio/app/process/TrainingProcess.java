package atomstudio.app.process;

import atomstudio.diffusion.Failure;
import java.time.Duration;
import java.util.OptionalInt;

/// A training process. It writes a checkpoint and exits when its input is closed or this process ends.
public interface TrainingProcess extends AutoCloseable {
    enum ProcessCommand { PAUSE, RESUME, STOP }

    void send(ProcessCommand command);

    /// Requests a preview with the current parameters; it is added to the run's previews.
    void requestPreview(String prompt);

    /// Waits for the process to exit.
    /// @return the exit code; empty after `timeout`
    OptionalInt await(Duration timeout) throws InterruptedException;

    /// The last lines of its log.
    String lastOutput();

    @Override
    void close();

    /// Starts training in a child process.
    @FunctionalInterface
    interface ProcessLauncher {
        TrainingProcess start(RunSpec spec) throws Failure;
    }
}

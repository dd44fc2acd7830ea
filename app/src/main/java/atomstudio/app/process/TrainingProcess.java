package atomstudio.app.process;

import atomstudio.diffusion.Failure;
import java.time.Duration;
import java.util.OptionalInt;

/// A child process that tunes. Closing its input makes it write a checkpoint and end, and so does the death of this
/// process.
public interface TrainingProcess extends AutoCloseable {
    enum ProcessCommand { PAUSE, RESUME, STOP }

    void send(ProcessCommand command);

    /// Asks for a picture from what is tuned by now; it appears among the run's previews.
    void requestPreview(String prompt);

    /// Waits at most so long; the exit code once it has ended.
    OptionalInt await(Duration timeout) throws InterruptedException;

    /// The last lines it wrote to its error output.
    String lastOutput();

    @Override
    void close();

    /// Starts tuning in a process of its own.
    @FunctionalInterface
    interface ProcessLauncher {
        TrainingProcess start(RunSpec spec) throws Failure;
    }
}

package atomstudio.app.tune;

import java.time.Duration;
import java.util.OptionalInt;

/// A child process that tunes. Closing its input makes it write a checkpoint and end, and so does the death of this process.
public interface TuneProcess extends AutoCloseable {
    enum Order { PAUSE, RESUME, STOP }

    void send(Order order);

    /// Asks for a picture from what is tuned by now; it appears among the run's previews.
    void generate(String prompt);

    /// Waits at most so long; the exit code once it has ended.
    OptionalInt await(Duration atMost) throws InterruptedException;

    /// The last lines it wrote to its error output.
    String lastWords();

    @Override void close();
}

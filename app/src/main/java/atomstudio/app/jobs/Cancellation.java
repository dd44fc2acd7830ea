package atomstudio.app.jobs;

import java.util.concurrent.CancellationException;

/// Whether a job was cancelled. Thread-safe.
@FunctionalInterface
public interface Cancellation {
    boolean isRequested();

    /// @throws CancellationException if the job was cancelled
    default void throwIfRequested() {
        if (isRequested()) throw new CancellationException();
    }
}

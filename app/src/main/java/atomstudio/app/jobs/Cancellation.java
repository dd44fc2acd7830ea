package atomstudio.app.jobs;

import java.util.concurrent.CancellationException;

/// Whether somebody has asked for a job to end. Any thread.
@FunctionalInterface
public interface Cancellation {
    boolean isRequested();

    /// @throws CancellationException once cancellation was asked for
    default void throwIfRequested() {
        if (isRequested()) throw new CancellationException();
    }
}

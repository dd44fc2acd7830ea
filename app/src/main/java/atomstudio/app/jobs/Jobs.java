package atomstudio.app.jobs;

import java.util.function.Consumer;

/// Runs work off the window's thread and delivers results on it.
public interface Jobs {
    /// Runs `job` on another thread; `onOutcome` is called once, on the window's thread.
    <T> JobHandle start(String title, Job<T> job, Consumer<JobOutcome<T>> onOutcome);

    /// A listener for the thread of a job: `listener` receives the newest value on the window's thread; values that
    /// arrive faster than the window handles them are skipped.
    <P> Consumer<P> deliverLatest(Consumer<P> listener);

    /// A listener for the thread of a job: `listener` receives every value, in order, on the window's thread.
    <P> Consumer<P> deliverEach(Consumer<P> listener);

    /// Work that may take long. It checks `cancellation` several times a second.
    @FunctionalInterface
    interface Job<T> {
        /// @throws Exception a `Failure` with a message for the user, or `CancellationException`
        T run(Cancellation cancellation) throws Exception;
    }

    /// A running job.
    @FunctionalInterface
    interface JobHandle {
        /// Cancels the job; its outcome is still delivered.
        void cancel();
    }
}

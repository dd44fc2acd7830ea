package atomstudio.app.jobs;

import java.util.function.Consumer;

/// Runs work off the window's thread and delivers results on it.
public interface Jobs {
    /// Runs `job` on another thread; `onOutcome` is called once, on the window's thread.
    <T> JobHandle start(String title, Job<T> job, Consumer<JobOutcome<T>> onOutcome);

    /// As above; a cancelled job calls neither listener.
    /// @param onFailed gets the failure's message
    default <T> JobHandle start(String title, Job<T> job, Consumer<T> onSucceeded, Consumer<String> onFailed) {
        return start(title, job, outcome -> {
            switch (outcome) {
                case JobOutcome.Succeeded<T>(T value) -> onSucceeded.accept(value);
                case JobOutcome.Failed<T>(String message) -> onFailed.accept(message);
                case JobOutcome.Cancelled<T>() -> {}
            }
        });
    }

    /// A listener that jobs may call from their thread as often as they like: `listener` gets the newest value on the
    /// window's thread, and values that came faster than the window could look at them are passed over.
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

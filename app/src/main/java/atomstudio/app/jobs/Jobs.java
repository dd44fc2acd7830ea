package atomstudio.app.jobs;

import java.util.function.Consumer;

/// The only way off the window's thread, and back.
public interface Jobs {
    /// Runs `job` elsewhere; `onOutcome` is called on the window's thread, once.
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

    /// A listener that jobs may call from their thread: `listener` gets every value, in order, on the window's thread.
    <P> Consumer<P> deliverEach(Consumer<P> listener);

    /// Work that may take long. It looks at `cancellation` often enough that a person does not wait.
    @FunctionalInterface
    interface Job<T> {
        /// @throws Exception a `Failure` with a message for the person, or `CancellationException`
        T run(Cancellation cancellation) throws Exception;
    }

    /// A job on its way.
    @FunctionalInterface
    interface JobHandle {
        /// Asks the job to end; its outcome still arrives.
        void cancel();
    }
}

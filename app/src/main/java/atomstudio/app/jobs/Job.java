package atomstudio.app.jobs;

/// Work that may take long. It looks at `cancellation` often enough that a person does not wait.
@FunctionalInterface
public interface Job<T> {
    /// @throws Exception a `Failure` with a message for the person, or `CancellationException`
    T run(Cancellation cancellation) throws Exception;
}

package atomstudio.app.jobs;

/// How a job ended. Cancellation is not an error.
public sealed interface JobOutcome<T> {
    record Succeeded<T>(T value) implements JobOutcome<T> {}

    /// @param message one sentence, shown in the window
    record Failed<T>(String message) implements JobOutcome<T> {}

    record Cancelled<T>() implements JobOutcome<T> {}
}

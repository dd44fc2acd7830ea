package atomstudio.app.jobs;

/// How a job ended. Being cancelled is an outcome, not an error.
public sealed interface JobOutcome<T> {
    record Succeeded<T>(T value) implements JobOutcome<T> {}

    /// `message` is one sentence for the person at the window.
    record Failed<T>(String message) implements JobOutcome<T> {}

    record Cancelled<T>() implements JobOutcome<T> {}
}

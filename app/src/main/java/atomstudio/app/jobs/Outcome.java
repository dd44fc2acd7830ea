package atomstudio.app.jobs;

/// How a job ended. Being cancelled is an outcome, not an error.
public sealed interface Outcome<T> {
    record Done<T>(T value) implements Outcome<T> {}

    /// `message` is one sentence for the person at the window.
    record Failed<T>(String message) implements Outcome<T> {}

    record Cancelled<T>() implements Outcome<T> {}
}

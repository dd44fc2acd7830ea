package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import java.util.Optional;

/// An event of a run: sent to its listener and appended to `events.jsonl`.
public sealed interface TrainingEvent {
    int step();

    /// Training starts or resumes after this many finished steps.
    record Start(int step, int steps, String device, int threads) implements TrainingEvent {}

    /// A finished step: its loss (before the update), learning rate, duration in seconds, and the resident bytes of
    /// the process.
    record Step(int step, double loss, double learningRate, double seconds, long residentBytes)
            implements TrainingEvent {}

    /// A preview was written; `file` is relative to the run folder.
    record Preview(int step, String file, String prompt) implements TrainingEvent {}

    /// The parameters were validated.
    /// @param measure  the metric; lower is better
    /// @param bestStep step of the lowest value so far; 0: none
    record Validation(int step, String measure, double value, int bestStep) implements TrainingEvent {}

    record Checkpoint(int step) implements TrainingEvent {}

    record Paused(int step) implements TrainingEvent {}

    record Resumed(int step) implements TrainingEvent {}

    /// Stopped by the user, with a checkpoint.
    record Cancelled(int step) implements TrainingEvent {}

    record Failed(int step, String message) implements TrainingEvent {}

    /// A notice or warning.
    record Note(int step, String message) implements TrainingEvent {}

    /// The adapter was written.
    record Done(int step, double loss, long parameterCount, long bytes, double seconds) implements TrainingEvent {}

    /// @param time in epoch milliseconds
    record Timed(long time, TrainingEvent event) {
        /// A line of `events.jsonl`; empty if it is truncated, or of a kind that a newer version writes.
        public static Optional<Timed> parse(String line) {
            try {
                return Optional.ofNullable(EventLog.parse(Json.parse("events.jsonl", line)));
            } catch (Failure damaged) {
                return Optional.empty();
            }
        }
    }
}

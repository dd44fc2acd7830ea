package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import java.util.Optional;

/// What happens in a run, as its listener hears it and `events.jsonl` keeps it.
public sealed interface TrainingEvent {
    int step();

    /// Training starts, or goes on, after this many finished steps.
    record Start(int step, int steps, String device, int threads) implements TrainingEvent {}

    /// One step is done: its loss (before the step), learning rate, duration in seconds, and resident bytes of the
    /// process.
    record Step(int step, double loss, double learningRate, double seconds, long residentBytes)
            implements TrainingEvent {}

    /// A preview picture was written; `file` is relative to the run folder.
    record Preview(int step, String file, String prompt) implements TrainingEvent {}

    /// The numbers were validated: `measure` says by what, lower is better, and `best` is the step of the lowest so
    /// far (0: none yet).
    record Validation(int step, String measure, double value, int bestStep) implements TrainingEvent {}

    record Checkpoint(int step) implements TrainingEvent {}

    record Paused(int step) implements TrainingEvent {}

    record Resumed(int step) implements TrainingEvent {}

    /// Stopped by a person; a checkpoint holds what was reached.
    record Cancelled(int step) implements TrainingEvent {}

    record Failed(int step, String message) implements TrainingEvent {}

    /// Something worth a line that is no failure.
    record Note(int step, String message) implements TrainingEvent {}

    /// The adapter is written.
    record Done(int step, double loss, long parameterCount, long bytes, double seconds) implements TrainingEvent {}

    /// An event and when it happened, in epoch milliseconds.
    record Timed(long time, TrainingEvent event) {
        /// A line of `events.jsonl`, for readers that follow it; empty for a torn line, or a kind that a later
        /// version writes.
        public static Optional<Timed> parse(String line) {
            try {
                return Optional.ofNullable(EventLog.parse(Json.parse("events.jsonl", line)));
            } catch (Failure damaged) {
                return Optional.empty();
            }
        }
    }
}

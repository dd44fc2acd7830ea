package atomstudio.tuning.train;

/// What happens in a run, as its listener hears it and `events.jsonl` keeps it.
public sealed interface TuneEvent {
    int step();

    /// Training starts, or goes on, after this many finished steps.
    record Start(int step, int steps, String device, int threads) implements TuneEvent {}

    /// One step is done: its loss (before the step), learning rate, duration in seconds, and resident bytes of the process.
    record Step(int step, double loss, double rate, double seconds, long memory) implements TuneEvent {}

    /// A preview picture was written; `file` is relative to the run folder.
    record Preview(int step, String file, String prompt) implements TuneEvent {}

    /// The numbers were validated: `measure` says by what, lower is better, and `best` is the step of the lowest so far (0: none yet).
    record Validation(int step, String measure, double value, int best) implements TuneEvent {}

    record Checkpoint(int step) implements TuneEvent {}

    record Paused(int step) implements TuneEvent {}

    record Resumed(int step) implements TuneEvent {}

    /// Stopped by a person; a checkpoint holds what was reached.
    record Cancelled(int step) implements TuneEvent {}

    record Failed(int step, String message) implements TuneEvent {}

    /// Something worth a line that is no failure.
    record Note(int step, String message) implements TuneEvent {}

    /// The adapter is written.
    record Done(int step, double loss, long numbers, long bytes, double seconds) implements TuneEvent {}
}

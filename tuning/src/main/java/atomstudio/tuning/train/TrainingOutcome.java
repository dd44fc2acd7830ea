package atomstudio.tuning.train;

/// How a run ended without failing.
public sealed interface TrainingOutcome {
    /// All steps are done and the adapter is there.
    record Finished(TrainingReport report) implements TrainingOutcome {}

    /// A person stopped it after this many steps; run it again to go on.
    record Stopped(int step, int steps) implements TrainingOutcome {}
}

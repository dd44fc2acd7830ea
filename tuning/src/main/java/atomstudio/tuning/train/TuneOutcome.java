package atomstudio.tuning.train;

/// How a run ended without failing.
public sealed interface TuneOutcome {
    /// All steps are done and the adapter is there.
    record Finished(Report report) implements TuneOutcome {}

    /// A person stopped it after this many steps; run it again to go on.
    record Stopped(int step, int steps) implements TuneOutcome {}
}

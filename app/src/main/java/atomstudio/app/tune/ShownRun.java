package atomstudio.app.tune;

/// A run in view.
public record ShownRun(RunSpec spec, RunProgress progress, Liveness liveness) {
    public enum Liveness { LIVE, PAST }
}

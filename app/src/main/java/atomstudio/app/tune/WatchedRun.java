package atomstudio.app.tune;

/// A run in view.
public record WatchedRun(TuneOrder order, RunProgress progress, When when) {
    public enum When { NOW, PAST }
}

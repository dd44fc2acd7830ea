package atomstudio.tuning.train;

/// Hears of a run's events as they happen, on the thread that trains: answer quickly.
@FunctionalInterface
public interface TuneListener {
    void on(TuneEvent event);

    static TuneListener silent() {
        return event -> {};
    }
}

package atomstudio.tuning.run;

/// Hears of a run's events as they happen, on the thread that trains: answer quickly.
@FunctionalInterface
public interface TrainingListener {
    void on(TrainingEvent event);

    static TrainingListener none() {
        return event -> {};
    }
}

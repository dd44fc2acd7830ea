package atomstudio.app.compare;

import atomstudio.tuning.train.TrainingEvent;

/// Hears how a comparison goes on, on the thread that works: answer quickly.
public interface ComparisonListener {
    enum ComparisonControl { CONTINUE, STOP }

    /// A run's event.
    /// @param name the row's
    void onTrainingEvent(String name, TrainingEvent event);

    /// So many of all sampling steps of all pictures are done.
    void onSamplingProgress(int done, int total);

    /// A line for the person.
    void onNote(String line);

    /// Asked at every step.
    ComparisonControl next();
}

package atomstudio.app.compare;

import atomstudio.tuning.train.TuneEvent;

/// Hears how a comparison goes on, on the thread that works: answer quickly.
public interface ComparisonListener {
    enum Next { CONTINUE, STOP }

    /// A run's event.
    /// @param name the row's
    void tuning(String name, TuneEvent event);

    /// So many of all sampling steps of all pictures are done.
    void sampling(int done, int total);

    /// A line for the person.
    void note(String line);

    /// Asked at every step.
    Next next();
}

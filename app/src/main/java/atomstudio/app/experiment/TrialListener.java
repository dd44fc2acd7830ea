package atomstudio.app.experiment;

/// Hears how an experiment goes on, on the thread that works: answer quickly.
public interface TrialListener {
    enum Next { CONTINUE, STOP }

    /// A run begins, or is gone on with: so many of so many.
    void trialStarted(int number, int total, Trial trial);

    /// A row was added to the table.
    void rowAdded(ExperimentRow entry);

    /// A line for the person.
    void note(String line);

    /// Asked many times a second.
    Next next();
}

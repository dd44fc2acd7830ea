package atomstudio.app.jobs;

/// A job on its way.
@FunctionalInterface
public interface JobHandle {
    /// Asks the job to end; its outcome still arrives.
    void cancel();
}

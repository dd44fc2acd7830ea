package atomstudio.app.jobs;

import java.util.function.Consumer;

/// Runs jobs on the calling thread, before `start` returns.
public final class InlineJobs implements Jobs {
    @Override
    public <T> JobHandle start(String title, Job<T> job, Consumer<JobOutcome<T>> onOutcome) {
        onOutcome.accept(BackgroundJobs.run(title, job, () -> false));
        return () -> {};
    }

    @Override
    public <P> Consumer<P> deliverLatest(Consumer<P> listener) {
        return listener;
    }

    @Override
    public <P> Consumer<P> deliverEach(Consumer<P> listener) {
        return listener;
    }
}

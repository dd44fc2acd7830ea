package atomstudio.app.jobs;

import java.util.function.Consumer;

/// Jobs that run where they are started, before `start` returns.
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

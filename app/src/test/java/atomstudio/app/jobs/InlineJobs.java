package atomstudio.app.jobs;

import java.util.function.Consumer;

/// Jobs that run where they are started, before `start` returns.
public final class InlineJobs implements Jobs {
    @Override public <T> Running start(String title, Job<T> job, Consumer<Outcome<T>> onOutcome) {
        onOutcome.accept(BackgroundJobs.outcome(title, job, () -> false));
        return () -> {};
    }

    @Override public <P> Consumer<P> latest(Consumer<P> listener) {
        return listener;
    }

    @Override public <P> Consumer<P> each(Consumer<P> listener) {
        return listener;
    }
}

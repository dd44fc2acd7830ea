package atomstudio.app.jobs;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/// Queues jobs until the test runs them, to check the state between start and outcome.
public final class ManualJobs implements Jobs {
    private final Deque<Runnable> pending = new ArrayDeque<>();

    @Override
    public <T> JobHandle start(String title, Job<T> job, Consumer<JobOutcome<T>> onOutcome) {
        AtomicBoolean cancelled = new AtomicBoolean();
        pending.add(() -> onOutcome.accept(BackgroundJobs.run(title, job, cancelled::get)));
        return () -> cancelled.set(true);
    }

    public int pendingCount() {
        return pending.size();
    }

    public void runNext() {
        pending.remove().run();
    }

    /// Runs the job that was started last before the others.
    public void runLast() {
        pending.removeLast().run();
    }

    public void runAll() {
        while (!pending.isEmpty()) runNext();
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

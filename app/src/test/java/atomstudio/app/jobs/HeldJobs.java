package atomstudio.app.jobs;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/// Jobs that wait until the test lets the oldest one run: what lies between start and outcome can be looked at.
public final class HeldJobs implements Jobs {
    private final Deque<Runnable> held = new ArrayDeque<>();

    @Override public <T> Running start(String title, Job<T> job, Consumer<Outcome<T>> onOutcome) {
        AtomicBoolean cancelled = new AtomicBoolean();
        held.add(() -> onOutcome.accept(BackgroundJobs.outcome(title, job, cancelled::get)));
        return () -> cancelled.set(true);
    }

    public int waiting() {
        return held.size();
    }

    public void runNext() {
        held.remove().run();
    }

    public void runAll() {
        while (!held.isEmpty()) runNext();
    }

    @Override public <P> Consumer<P> latest(Consumer<P> listener) {
        return listener;
    }

    @Override public <P> Consumer<P> each(Consumer<P> listener) {
        return listener;
    }
}

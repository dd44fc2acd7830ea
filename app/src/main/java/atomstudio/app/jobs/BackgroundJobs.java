package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shortage;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Jobs on daemon threads of their own, outcomes through the executor of the window's thread.
public final class BackgroundJobs implements Jobs {
    private static final Logger log = LoggerFactory.getLogger(BackgroundJobs.class);

    private final Executor window;

    /// @param window runs what it is given on the window's thread, in order
    public BackgroundJobs(Executor window) {
        this.window = window;
    }

    @Override public <T> Running start(String title, Job<T> job, Consumer<Outcome<T>> onOutcome) {
        AtomicBoolean cancelled = new AtomicBoolean();
        Thread.ofPlatform().daemon().name(title).start(() -> {
            Outcome<T> outcome = outcome(title, job, cancelled::get);
            window.execute(() -> onOutcome.accept(outcome));
        });
        return () -> cancelled.set(true);
    }

    /// Runs a job where the caller stands and says how it ended.
    public static <T> Outcome<T> outcome(String title, Job<T> job, Cancellation cancellation) {
        try {
            return new Outcome.Done<>(job.run(cancellation));
        } catch (CancellationException | InterruptedException e) {
            return new Outcome.Cancelled<>();
        } catch (Failure e) {
            return new Outcome.Failed<>(e.getMessage());
        } catch (IOException e) {
            log.warn("{} failed", title, e);
            return new Outcome.Failed<>(title + ": " + e.getMessage());
        } catch (OutOfMemoryError e) {
            log.error("{} ran out of memory", title, e);
            return new Outcome.Failed<>(title + ": " + Shortage.of(e).words() + ".");
        } catch (InternalError e) {
            log.error("{} failed", title, e);
            return new Outcome.Failed<>(title + ": a file shrank, or its disk failed, while it was read. Open it again.");
        } catch (Exception | LinkageError | StackOverflowError | AssertionError e) {
            log.error("{} failed", title, e);
            return new Outcome.Failed<>(title + " failed unexpectedly: " + e);
        }
    }

    @Override public <P> Consumer<P> latest(Consumer<P> listener) {
        AtomicReference<P> newest = new AtomicReference<>();
        return value -> {
            if (newest.getAndSet(value) == null) window.execute(() -> listener.accept(newest.getAndSet(null)));
        };
    }

    @Override public <P> Consumer<P> each(Consumer<P> listener) {
        return value -> window.execute(() -> listener.accept(value));
    }
}

package atomstudio.app.jobs;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.FailureText;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.MemoryShortage;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs each job on its own daemon thread, and delivers outcomes on the window's thread.
public final class BackgroundJobs implements Jobs {
    private static final Logger log = LoggerFactory.getLogger(BackgroundJobs.class);

    private final Executor uiExecutor;

    /// @param uiExecutor runs tasks on the window's thread, in order
    public BackgroundJobs(Executor uiExecutor) {
        this.uiExecutor = uiExecutor;
    }

    @Override
    public <T> JobHandle start(String title, Job<T> job, Consumer<JobOutcome<T>> onOutcome) {
        AtomicBoolean cancelled = new AtomicBoolean();
        Thread.ofPlatform().daemon().name(title).start(() -> {
            JobOutcome<T> outcome = run(title, job, cancelled::get);
            uiExecutor.execute(() -> onOutcome.accept(outcome));
        });
        return () -> cancelled.set(true);
    }

    /// Runs a job on the calling thread.
    public static <T> JobOutcome<T> run(String title, Job<T> job, Cancellation cancellation) {
        try {
            return new JobOutcome.Succeeded<>(job.run(cancellation));
        } catch (CancellationException | InterruptedException e) {
            return new JobOutcome.Cancelled<>();
        } catch (Failure e) {
            return new JobOutcome.Failed<>(FailureText.of(e));
        } catch (IOException e) {
            log.warn("{} failed", title, e);
            return new JobOutcome.Failed<>(title + ": " + e.getMessage());
        } catch (OutOfMemoryError e) {
            log.error("{} ran out of memory", title, e);
            return new JobOutcome.Failed<>(title + ": " + MemoryShortage.of(e).message() + ".");
        } catch (InternalError e) {
            log.error("{} failed", title, e);
            return new JobOutcome.Failed<>(
                    text("jobs.a-file-was-truncated-or-its", title));
        } catch (Exception | LinkageError | StackOverflowError | AssertionError e) {
            log.error("{} failed", title, e);
            return new JobOutcome.Failed<>(text("jobs.failed-unexpectedly", title, e));
        }
    }

    @Override
    public <P> Consumer<P> deliverLatest(Consumer<P> listener) {
        AtomicReference<P> newest = new AtomicReference<>();
        return value -> {
            if (newest.getAndSet(value) == null) uiExecutor.execute(() -> listener.accept(newest.getAndSet(null)));
        };
    }

    @Override
    public <P> Consumer<P> deliverEach(Consumer<P> listener) {
        return value -> uiExecutor.execute(() -> listener.accept(value));
    }
}

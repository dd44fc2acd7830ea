package atomstudio.app.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class BackgroundJobsTest {
    private static JobOutcome<String> outcome(Throwable thrown) throws Exception {
        CompletableFuture<JobOutcome<String>> outcome = new CompletableFuture<>();
        new BackgroundJobs(Runnable::run).start("Reading", cancellation -> {
            switch (thrown) {
                case Error error -> throw error;
                case Exception exception -> throw exception;
                default -> throw new IllegalStateException(thrown);
            }
        }, outcome::complete);
        return outcome.get(30, TimeUnit.SECONDS);
    }

    private static String message(Throwable thrown) throws Exception {
        return assertInstanceOf(JobOutcome.Failed.class, outcome(thrown)).message();
    }

    @Test
    void everyThrowableBecomesAnOutcome() throws Exception {
        for (Throwable thrown : List.of(new StackOverflowError(),
                new InternalError("a fault occurred in an unsafe memory access operation"), new AssertionError(),
                new NoClassDefFoundError("x"),
                new OutOfMemoryError("Java heap space"), new IllegalStateException("x"), new IOException("x"))) {
            assertTrue(message(thrown).startsWith("Reading"), thrown::toString);
        }
        assertInstanceOf(JobOutcome.Cancelled.class, outcome(new CancellationException()));
        assertEquals("model: damaged", message(new Failure.Unreadable("model: damaged")));
    }

    @Test
    void distinguishesHeapThreadAndFileErrors() throws Exception {
        assertTrue(message(new OutOfMemoryError("Java heap space")).contains("heap of"));
        assertTrue(message(new OutOfMemoryError(
                "unable to create native thread: possibly out of memory or process/resource limits reached"))
                .contains("new thread"));
        assertTrue(message(new InternalError("a fault occurred")).contains("truncated"));
    }
}

package atomstudio.app.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class JobQueueTest {
    private final ManualJobs jobs = new ManualJobs();
    private final JobQueue queue = new JobQueue(jobs);
    private final List<String> ended = new ArrayList<>();

    private JobQueue.QueuedJob submit(String name) {
        return queue.submit(name, (entry, cancellation) -> {
            cancellation.throwIfRequested();
            entry.update("half", 0.5);
            return name;
        }, outcome -> ended.add(name + " " + outcome.getClass().getSimpleName()));
    }

    @Test
    void oneJobRunsAtATimeInOrder() {
        submit("first");
        submit("second");
        assertEquals(1, jobs.pendingCount());
        assertEquals(List.of("Starting", "Waiting"),
                queue.entries().stream().map(entry -> entry.status().get()).toList());
        jobs.runNext();
        assertEquals(List.of("first Succeeded"), ended);
        assertEquals(1, jobs.pendingCount(), "the next one starts by itself");
        jobs.runAll();
        assertTrue(queue.isIdle());
    }

    @Test
    void everyEntryIsCancelledAlone() {
        JobQueue.QueuedJob first = submit("first");
        JobQueue.QueuedJob second = submit("second");
        submit("third");
        second.cancel();
        second.cancel();
        first.cancel();
        assertEquals(List.of("second Cancelled"), ended, "a running job ends at its next step");
        jobs.runAll();
        assertEquals(List.of("second Cancelled", "first Cancelled", "third Succeeded"), ended);
    }

    @Test
    void heldJobsWaitAndNameTheReason() {
        queue.hold("Waiting for the end of the run");
        JobQueue.QueuedJob entry = submit("images");
        assertEquals(0, jobs.pendingCount());
        assertEquals("Waiting for the end of the run", entry.status().get());
        queue.hold("");
        assertEquals(1, jobs.pendingCount());
    }

    /// A job of another page that is long in its first step: cancelling a waiting one takes effect at once.
    @Test
    void waitingJobIsCancelledWhileAnotherIsBusy() throws Exception {
        try (ExecutorService window = Executors.newSingleThreadExecutor()) {
            JobQueue shared = new JobQueue(new BackgroundJobs(window));
            CountDownLatch busy = new CountDownLatch(1), release = new CountDownLatch(1);
            CountDownLatch cancelled = new CountDownLatch(1), done = new CountDownLatch(1);
            window.submit(() -> shared.submit("long", (entry, cancellation) -> {
                busy.countDown();
                return release.await(20, TimeUnit.SECONDS);
            }, outcome -> done.countDown()));
            assertTrue(busy.await(20, TimeUnit.SECONDS));
            window.submit(() -> shared.submit("other page", (entry, cancellation) -> "", outcome -> {
                if (outcome instanceof JobOutcome.Cancelled<String>) cancelled.countDown();
            }).cancel());
            assertTrue(cancelled.await(5, TimeUnit.SECONDS), "Cancel does not wait for the other page");
            release.countDown();
            assertTrue(done.await(20, TimeUnit.SECONDS));
        }
    }
}

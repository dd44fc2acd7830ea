package atomstudio.app.jobs;

import static atomstudio.app.text.Texts.text;

import java.util.function.Consumer;
import javafx.beans.property.ReadOnlyDoubleProperty;
import javafx.beans.property.ReadOnlyDoubleWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// Jobs that share one resource, such as the open model. One runs at a time, in the order of submission: the next one
/// starts when the previous one has ended, so no thread waits for another. Window's thread.
public final class JobQueue {
    private final Jobs jobs;
    private final ObservableList<QueuedJob> entries = FXCollections.observableArrayList();
    private final ObservableList<QueuedJob> entriesView = FXCollections.unmodifiableObservableList(entries);
    private @Nullable QueuedJob running;
    private String hold = "";

    public JobQueue(Jobs jobs) {
        this.jobs = jobs;
    }

    /// The running job, if any, and those that wait.
    public ObservableList<QueuedJob> entries() {
        return entriesView;
    }

    public boolean isIdle() { return entries.isEmpty(); }

    public boolean isRunning() { return running != null; }

    /// Whether no further job starts for now.
    public boolean isHeld() { return !hold.isEmpty(); }

    /// A job of the queue.
    public static final class QueuedJob {
        private final String title;
        private final ReadOnlyStringWrapper status = new ReadOnlyStringWrapper(text("jobs.waiting"));
        private final ReadOnlyDoubleWrapper fraction = new ReadOnlyDoubleWrapper();
        private final Consumer<QueuedJob> starter;
        private final Consumer<QueuedJob> canceller;
        private Jobs.@Nullable JobHandle handle;

        private QueuedJob(String title, Consumer<QueuedJob> starter, Consumer<QueuedJob> canceller) {
            this.title = title;
            this.starter = starter;
            this.canceller = canceller;
        }

        public String title() {
            return title;
        }

        /// `step 12 of 25 · 0:08 left`, or what it waits for.
        public ReadOnlyStringProperty status() {
            return status.getReadOnlyProperty();
        }

        /// 0..1.
        public ReadOnlyDoubleProperty fraction() {
            return fraction.getReadOnlyProperty();
        }

        /// Reports progress.
        public void update(String newStatus, double newFraction) {
            status.set(newStatus);
            fraction.set(newFraction);
        }

        /// Removes the job if it waits; a running one stops at its next step. Its outcome is delivered.
        public void cancel() {
            canceller.accept(this);
        }
    }

    /// Work of the queue.
    @FunctionalInterface
    public interface QueuedWork<T> {
        /// @param entry for progress, on the window's thread
        /// @throws Exception a `Failure` with a message for the user, or `CancellationException`
        T run(QueuedJob entry, Cancellation cancellation) throws Exception;
    }

    /// Appends a job.
    /// @param onOutcome called once, on the window's thread, after the job has left the queue
    public <T> QueuedJob submit(String title, QueuedWork<T> work, Consumer<JobOutcome<T>> onOutcome) {
        QueuedJob entry = new QueuedJob(title, started -> started.handle = jobs.start(title,
                cancellation -> work.run(started, cancellation), outcome -> {
                    remove(started);
                    onOutcome.accept(outcome);
                    startNext();
                }), cancelled -> {
                    if (cancelled == running) {
                        if (cancelled.handle != null) cancelled.handle.cancel();
                    } else if (remove(cancelled)) {
                        onOutcome.accept(new JobOutcome.Cancelled<>());
                    }
                });
        entries.add(entry);
        startNext();
        return entry;
    }

    /// Lets no further job start.
    /// @param reason why, shown by the waiting jobs: `Waiting for the run`; empty: jobs may start
    public void hold(String reason) {
        hold = reason;
        entries.stream().filter(entry -> entry != running).forEach(this::showWaiting);
        startNext();
    }

    public void cancelAll() {
        for (QueuedJob entry : entries.toArray(QueuedJob[]::new)) entry.cancel();
    }

    private boolean remove(QueuedJob entry) {
        if (running == entry) running = null;
        return entries.remove(entry);
    }

    private void showWaiting(QueuedJob entry) {
        entry.status.set(hold.isEmpty() ? text("jobs.waiting") : hold);
    }

    private void startNext() {
        if (running != null || entries.isEmpty()) return;
        if (!hold.isEmpty()) {
            entries.forEach(this::showWaiting);
            return;
        }
        QueuedJob next = entries.getFirst();
        running = next;
        next.status.set(text("jobs.starting"));
        next.starter.accept(next);
    }
}

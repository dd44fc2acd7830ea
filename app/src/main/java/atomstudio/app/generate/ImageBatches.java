package atomstudio.app.generate;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.generate.GenerateViewModel.GenerationServices;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javafx.beans.property.ReadOnlyDoubleProperty;
import javafx.beans.property.ReadOnlyDoubleWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;

/// A page's images that wait in the queue of all pages or are being generated, and how the last ones ended. Window's
/// thread.
public final class ImageBatches {
    private final Jobs jobs;
    private final GenerationServices services;
    private final InstantSource clock;
    private final Runnable onSubmitted;
    private final Runnable onEnded;
    /// In the order of the queue.
    private final List<ImageBatch> batches = new ArrayList<>();
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyDoubleWrapper fraction = new ReadOnlyDoubleWrapper();
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper report = new ReadOnlyStringWrapper("");

    /// @param onSubmitted called when orders enter the queue
    /// @param onEnded     called when they leave it, after the report
    public ImageBatches(Jobs jobs, GenerationServices services, InstantSource clock, Runnable onSubmitted,
            Runnable onEnded) {
        this.jobs = jobs;
        this.services = services;
        this.clock = clock;
        this.onSubmitted = onSubmitted;
        this.onEnded = onEnded;
    }

    /// `Base model · step 12 of 25 · 0:08 left`, or what the images wait for; empty when idle.
    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    /// Share of the steps of the current batch that are done, 0..1.
    public ReadOnlyDoubleProperty fraction() {
        return fraction.getReadOnlyProperty();
    }

    /// Why the last batch failed, or could not be submitted.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Result of the last batch: `12 images in 31 s`.
    public ReadOnlyStringProperty report() {
        return report.getReadOnlyProperty();
    }

    /// Replaces the report.
    public void showMessage(String message) {
        problem.set("");
        report.set(message);
    }

    public void showProblem(String message) {
        problem.set(message);
    }

    public boolean isIdle() { return batches.isEmpty(); }

    /// The orders whose images do not exist yet.
    public Set<String> queued() {
        return batches.stream().flatMap(batch -> batch.remainingOrders().stream()).collect(Collectors.toSet());
    }

    /// @param subject name of the subject's folder; empty on the Generate page
    public void submit(List<ImageBatch.RowOrder> orders, String subject) {
        showMessage("");
        ImageBatch batch = new ImageBatch(orders, subject, services, clock);
        batches.add(batch);
        onSubmitted.run();
        showProgress();
        batch.submit(jobs.deliverEach(Runnable::run), this::showProgress, outcome -> onEnded(batch, outcome));
    }

    public void cancel() {
        List.copyOf(batches).forEach(ImageBatch::cancel);
    }

    private void showProgress() {
        busy.set(batches.isEmpty() ? "" : batches.getFirst().status());
        fraction.set(batches.isEmpty() ? 0 : batches.getFirst().fraction());
    }

    private void onEnded(ImageBatch batch, JobOutcome<?> outcome) {
        batches.remove(batch);
        showProgress();
        String images = count("generate.images", batch.imageCount());
        switch (outcome) {
            case JobOutcome.Succeeded<?> _ ->
                    report.set(text("generate.in", images, DisplayFormat.duration(batch.seconds())));
            case JobOutcome.Failed<?>(String message) -> problem.set(message);
            case JobOutcome.Cancelled<?> _ ->
                    report.set(text("generate.cancelled-of-done", batch.completedCount(), images));
        }
        onEnded.run();
    }
}

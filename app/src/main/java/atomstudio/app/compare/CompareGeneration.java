package atomstudio.app.compare;

import static atomstudio.app.text.Texts.count;

import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.generate.GenerateViewModel.GenerationServices;
import atomstudio.app.generate.ImageBatch;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.diffusion.image.RgbImage;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import javafx.beans.property.ReadOnlyDoubleProperty;
import javafx.beans.property.ReadOnlyDoubleWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableMap;

/// The images of a comparison that wait in the queue of all pages, or are being generated.
public final class CompareGeneration {
    private static final int MAX_WARNINGS = 3;

    private final Jobs jobs;
    private final GenerationServices services;
    private final InstantSource clock;
    private final Runnable onChanged;
    private final Runnable onIdle;
    private final ObservableMap<String, RgbImage> previews = FXCollections.observableHashMap();
    private final ObservableMap<String, RgbImage> previewsView = FXCollections.unmodifiableObservableMap(previews);
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyDoubleWrapper fraction = new ReadOnlyDoubleWrapper();
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper warning = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper report = new ReadOnlyStringWrapper("");
    private final Set<String> warnings = new LinkedHashSet<>();
    private final List<ImageBatch> batches = new ArrayList<>();

    /// @param onChanged called when orders enter or leave the queue
    /// @param onIdle called when the last batch has ended
    CompareGeneration(Jobs jobs, GenerationServices services, InstantSource clock, Runnable onChanged,
            Runnable onIdle) {
        this.jobs = jobs;
        this.services = services;
        this.clock = clock;
        this.onChanged = onChanged;
        this.onIdle = onIdle;
    }

    /// The predicted images of the orders that are being generated.
    public ObservableMap<String, RgbImage> previews() {
        return previewsView;
    }

    /// `LoRA rank 4 × 1.0 · step 12 of 25 · 0:08 left`; empty when idle.
    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    /// Share of the steps of the current batch that are done, 0..1.
    public ReadOnlyDoubleProperty fraction() {
        return fraction.getReadOnlyProperty();
    }

    /// Why the last batch failed.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Warnings of the last batch, by row.
    public ReadOnlyStringProperty warning() {
        return warning.getReadOnlyProperty();
    }

    /// Result of the last batch: `8 images in 12 s`.
    public ReadOnlyStringProperty report() {
        return report.getReadOnlyProperty();
    }

    /// The orders whose images do not exist yet.
    Set<String> queued() {
        Set<String> queued = new HashSet<>();
        for (ImageBatch batch : batches) queued.addAll(batch.remainingOrders());
        return queued;
    }

    ImageBatch.BatchRow display(CellOrder order) {
        return new RowDisplay(order);
    }

    void submit(List<ImageBatch.RowOrder> orders, String subject) {
        warnings.clear();
        warning.set("");
        report.set("");
        problem.set("");
        ImageBatch batch = new ImageBatch(orders, subject, services, clock);
        batches.add(batch);
        onChanged.run();
        showProgress();
        batch.submit(jobs.deliverEach(Runnable::run), this::showProgress, outcome -> onEnded(batch, outcome));
    }

    void cancel() {
        List.copyOf(batches).forEach(ImageBatch::cancel);
    }

    private void showProgress() {
        busy.set(batches.isEmpty() ? "" : batches.getFirst().status());
        fraction.set(batches.isEmpty() ? 0 : batches.getFirst().fraction());
    }

    private void onEnded(ImageBatch batch, JobOutcome<?> outcome) {
        batches.remove(batch);
        previews.clear();
        onChanged.run();
        showProgress();
        switch (outcome) {
            case JobOutcome.Succeeded<?> _ -> report.set(
                    count("compare.done", batch.imageCount(), DisplayFormat.duration(batch.seconds())));
            case JobOutcome.Failed<?>(String message) -> problem.set(message);
            case JobOutcome.Cancelled<?> _ -> report.set(
                    count("compare.cancelled", batch.imageCount(), batch.completedCount()));
        }
        if (batches.isEmpty()) onIdle.run();
    }

    /// The progress of the cells of an adapter.
    private final class RowDisplay implements ImageBatch.BatchRow {
        private final ComparedAdapter adapter;
        private final String title;

        RowDisplay(CellOrder order) {
            adapter = order.adapter();
            title = new CompareRow(adapter, order.strength()).title();
        }

        @Override
        public String title() {
            return title;
        }

        @Override
        public String runName() {
            return adapter.runName();
        }

        /// The status of the batch names the row and its step.
        @Override
        public void showStep(int done, int total) {}

        @Override
        public void showPreview(String order, RgbImage image) {
            previews.put(order, image);
        }

        @Override
        public void clearPreview(String order) {
            previews.remove(order);
        }

        @Override
        public void addWarning(String message) {
            warnings.add(title + ": " + message);
            warning.set(String.join("\n", warnings.stream().limit(MAX_WARNINGS).toList()));
        }

        @Override
        public void stop() {}
    }
}

package atomstudio.app.generate;

import atomstudio.app.dataset.Subject;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.JobQueue;
import atomstudio.tuning.measure.ClipSamples;
import atomstudio.tuning.measure.ClipScores;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// Measures likeness, diversity and alignment of complete rows in the background.
public final class MetricsViewModel {
    private final JobQueue queue;
    private final RowGenerator evaluator;
    private final ReadOnlyStringWrapper note = new ReadOnlyStringWrapper("");
    private JobQueue.@Nullable QueuedJob running;
    private List<GalleryRow> pending = List.of();
    private int requestId;

    MetricsViewModel(JobQueue queue, RowGenerator evaluator) {
        this.queue = queue;
        this.evaluator = evaluator;
    }

    /// The encoder behind the scores, or why there are none. Empty before the first measurement.
    public ReadOnlyStringProperty note() {
        return note.getReadOnlyProperty();
    }

    /// Measures the rows that are complete and have no scores yet.
    void measure(Path model, Subject currentSubject, String prompt, List<GalleryRow> rows) {
        cancel();
        List<GalleryRow> unmeasured = rows.stream().filter(GalleryRow::needsMetrics).toList();
        if (unmeasured.isEmpty()) return;
        int id = requestId;
        unmeasured.forEach(row -> row.setMetricsStatus("Measuring…"));
        pending = unmeasured;
        RowGenerator.EvaluationRequest request = new RowGenerator.EvaluationRequest(model, currentSubject.photos(),
                unmeasured.stream().map(row -> List.of(new RowGenerator.PromptImages(prompt, row.images()))).toList());
        String title = "Measuring " + currentSubject.title();
        running = queue.submit(title, (entry, cancellation) -> evaluator.evaluate(request, cancellation), outcome -> {
            if (id != requestId) return;
            cancel();
            switch (outcome) {
                case JobOutcome.Succeeded<Optional<List<ClipSamples>>>(Optional<List<ClipSamples>> found) ->
                        showMetrics(found, unmeasured, request.rows());
                case JobOutcome.Failed<Optional<List<ClipSamples>>>(String message) ->
                        note.set("Likeness, diversity and alignment could not be measured: " + message);
                case JobOutcome.Cancelled<Optional<List<ClipSamples>>>() -> {}
            }
        });
    }

    /// Cancels a running measurement, because its images become outdated.
    void cancel() {
        requestId++;
        if (running != null) running.cancel();
        running = null;
        pending.forEach(row -> row.setMetricsStatus(""));
        pending = List.of();
    }

    private void showMetrics(Optional<List<ClipSamples>> found, List<GalleryRow> rows,
            List<List<RowGenerator.PromptImages>> measured) {
        if (found.isEmpty()) {
            note.set("This model has no image encoder: likeness, diversity and alignment are not available.");
            return;
        }
        for (int i = 0; i < rows.size(); i++)
            rows.get(i).setMetrics(measured.get(i).getFirst().images(), found.get().get(i).scores());
        ClipScores first = found.get().getFirst().scores();
        note.set("Measured with " + first.encoder() + ". "
                + (first.alignment().isPresent()
                        ? "High likeness with low alignment means the prompt is ignored."
                        : "It has no text encoder, so alignment is not available."));
    }
}

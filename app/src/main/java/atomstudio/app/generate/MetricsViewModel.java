package atomstudio.app.generate;

import atomstudio.app.dataset.Subject;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.tuning.measure.ClipScores;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// Likeness, diversity and alignment of the rows, measured in the background once their pictures are there.
public final class MetricsViewModel {
    private final Jobs jobs;
    private final RowEvaluator evaluator;
    private final ReadOnlyStringWrapper note = new ReadOnlyStringWrapper("");
    private Jobs.@Nullable JobHandle running;
    private List<GalleryRow> pending = List.of();
    private int requestId;

    MetricsViewModel(Jobs jobs, RowEvaluator evaluator) {
        this.jobs = jobs;
        this.evaluator = evaluator;
    }

    /// By which encoder the numbers are, or why there are none; said once for all rows. Empty before anything was
    /// measured.
    public ReadOnlyStringProperty note() {
        return note.getReadOnlyProperty();
    }

    /// Measures the rows that are complete and not measured yet.
    void measure(Path model, Subject currentSubject, String prompt, List<GalleryRow> rows) {
        cancel();
        List<GalleryRow> unmeasured = rows.stream().filter(GalleryRow::needsMetrics).toList();
        if (unmeasured.isEmpty()) return;
        int id = requestId;
        unmeasured.forEach(row -> row.metricsStatus("measuring…"));
        pending = unmeasured;
        RowEvaluator.EvaluationRequest request = new RowEvaluator.EvaluationRequest(model, currentSubject.photos(),
                prompt, unmeasured.stream().map(GalleryRow::images).toList());
        running = jobs.start("Measuring", cancellation -> evaluator.evaluate(request, cancellation), outcome -> {
            if (id != requestId) return;
            cancel();
            switch (outcome) {
                case JobOutcome.Succeeded<Optional<List<ClipScores>>>(Optional<List<ClipScores>> found) ->
                        showMetrics(found, unmeasured);
                case JobOutcome.Failed<Optional<List<ClipScores>>>(String message) ->
                        note.set("No likeness, diversity or alignment: " + message);
                case JobOutcome.Cancelled<Optional<List<ClipScores>>>() -> {}
            }
        });
    }

    /// Other pictures are wished for.
    void cancel() {
        requestId++;
        if (running != null) running.cancel();
        running = null;
        pending.forEach(row -> row.metricsStatus(""));
        pending = List.of();
    }

    private void showMetrics(Optional<List<ClipScores>> found, List<GalleryRow> rows) {
        if (found.isEmpty()) {
            note.set("This model brings no image encoder, so likeness, diversity and alignment are not measured.");
            return;
        }
        for (int i = 0; i < rows.size(); i++) rows.get(i).setMetrics(found.get().get(i));
        ClipScores first = found.get().getFirst();
        note.set("Likeness, diversity and alignment by " + first.encoder()
                + (first.alignment().isPresent() ? "." : "; it has no text side, so alignment is not measured."));
    }
}

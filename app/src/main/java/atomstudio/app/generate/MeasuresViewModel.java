package atomstudio.app.generate;

import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.Outcome;
import atomstudio.app.jobs.Running;
import atomstudio.app.subjects.Subject;
import atomstudio.tuning.measure.Measures;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// Likeness, diversity and alignment of the rows, measured in the background once their pictures are there.
public final class MeasuresViewModel {
    private final Jobs jobs;
    private final RowJudge judge;
    private final ReadOnlyStringWrapper line = new ReadOnlyStringWrapper("");
    private @Nullable Running running;
    private List<GalleryRow> waiting = List.of();
    private int question;

    MeasuresViewModel(Jobs jobs, RowJudge judge) {
        this.jobs = jobs;
        this.judge = judge;
    }

    /// By which encoder the numbers are, or why there are none; said once for all rows. Empty before anything was measured.
    public ReadOnlyStringProperty line() {
        return line.getReadOnlyProperty();
    }

    /// Measures the rows that are complete and not measured yet.
    void measure(Path model, Subject subject, String prompt, List<GalleryRow> rows) {
        forget();
        List<GalleryRow> open = rows.stream().filter(GalleryRow::unmeasured).toList();
        if (open.isEmpty()) return;
        int asked = question;
        open.forEach(row -> row.measuring("measuring…"));
        waiting = open;
        RowJudge.Question all = new RowJudge.Question(model, subject.pictures(), prompt, open.stream().map(GalleryRow::pictures).toList());
        running = jobs.start("Measuring", cancellation -> judge.judge(all, cancellation), outcome -> {
            if (asked != question) return;
            forget();
            switch (outcome) {
                case Outcome.Done<Optional<List<Measures>>>(Optional<List<Measures>> found) -> show(found, open);
                case Outcome.Failed<Optional<List<Measures>>>(String message) -> line.set("No likeness, diversity or alignment: " + message);
                case Outcome.Cancelled<Optional<List<Measures>>>() -> {}
            }
        });
    }

    /// Other pictures are wished for.
    void forget() {
        question++;
        if (running != null) running.cancel();
        running = null;
        waiting.forEach(row -> row.measuring(""));
        waiting = List.of();
    }

    private void show(Optional<List<Measures>> found, List<GalleryRow> rows) {
        if (found.isEmpty()) {
            line.set("This model brings no image encoder, so likeness, diversity and alignment are not measured.");
            return;
        }
        for (int i = 0; i < rows.size(); i++) rows.get(i).measured(found.get().get(i));
        Measures first = found.get().getFirst();
        line.set("Likeness, diversity and alignment by " + first.encoder() + (first.alignment().isPresent() ? "." : "; it has no text side, so alignment is not measured."));
    }
}

package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CompareFigure.FigureRow;
import atomstudio.app.compare.CompareFigure.RowMeasures;
import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.generate.GenerateViewModel.GenerationServices;
import atomstudio.app.generate.RowGenerator;
import atomstudio.app.generate.RowGenerator.PromptImages;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.JobQueue;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFolder;
import atomstudio.tuning.measure.ClipSamples;
import atomstudio.tuning.measure.ClipScores;
import atomstudio.tuning.run.RunFolder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javafx.beans.property.ReadOnlyIntegerProperty;
import javafx.beans.property.ReadOnlyIntegerWrapper;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// Measures the complete rows of a comparison in the background, and keeps the values of the images that were measured.
public final class CompareMetrics {
    private static final int MAX_KNOWN = 100;

    private final GenerationServices services;
    private final ReadOnlyStringWrapper note = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper status = new ReadOnlyStringWrapper("");
    private final ReadOnlyObjectWrapper<CompareFigure> figure = new ReadOnlyObjectWrapper<>(CompareFigure.EMPTY);
    private final ReadOnlyObjectWrapper<List<Optional<ClipScores>>> scores = new ReadOnlyObjectWrapper<>(List.of());
    private final ReadOnlyIntegerWrapper unmeasured = new ReadOnlyIntegerWrapper();
    private final Map<String, RowMeasures> known = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, RowMeasures> eldest) {
            return size() > MAX_KNOWN;
        }
    };
    private final Runnable onMeasured;
    private JobQueue.@Nullable QueuedJob running;
    private @Nullable ShownRows shown;

    /// @param rows of the table, in its order
    record ShownRows(CompareCells cells, List<CompareRow> rows) {
        /// Identifies the images of a row and the photos that they are compared with.
        String key(int row) {
            String all = cells.keys(row) + "\n" + photos();
            return UUID.nameUUIDFromBytes(all.getBytes(StandardCharsets.UTF_8)).toString();
        }

        /// The prepared photos of the first run, as `compare` uses them, or else the subject's photos.
        List<Path> photos() {
            for (ComparedAdapter adapter : cells.table().adapters())
                if (adapter instanceof ComparedAdapter.OfRun of)
                    return List.of(new RunFolder(of.run().folder()).photos());
            return cells.context().subject().photos();
        }

        /// The photos as files. For job threads.
        List<Path> photoFiles() throws Failure {
            List<Path> photos = photos();
            return !photos.isEmpty() && Files.isDirectory(photos.getFirst())
                    ? ImageFolder.list(photos.getFirst()).images()
                    : cells.context().subject().photos();
        }
    }

    /// @param onMeasured called when rows were measured
    CompareMetrics(GenerationServices services, Runnable onMeasured) {
        this.services = services;
        this.onMeasured = onMeasured;
    }

    /// The encoder behind the values, or why there are none. Empty before the first measurement.
    public ReadOnlyStringProperty note() {
        return note.getReadOnlyProperty();
    }

    /// `Measuring…`; empty when idle.
    public ReadOnlyStringProperty status() {
        return status.getReadOnlyProperty();
    }

    /// The rows that are measured.
    public ReadOnlyObjectProperty<CompareFigure> figure() {
        return figure.getReadOnlyProperty();
    }

    /// The values of every row of the table; empty where it is not measured.
    public ReadOnlyObjectProperty<List<Optional<ClipScores>>> scores() {
        return scores.getReadOnlyProperty();
    }

    /// The values of a run's result at strength 1; empty unless it is a row of the table and measured.
    public Optional<ClipScores> ofRun(Path folder) {
        if (shown == null) return Optional.empty();
        for (int row = 0; row < shown.rows.size(); row++) {
            CompareRow shownRow = shown.rows.get(row);
            if (shownRow.strength() == 1 && shownRow.adapter() instanceof ComparedAdapter.OfRun of
                    && of.checkpoint().isEmpty() && of.run().folder().equals(folder))
                return scores.get().get(row);
        }
        return Optional.empty();
    }

    /// The number of rows whose images all exist and were not measured.
    public ReadOnlyIntegerProperty unmeasured() {
        return unmeasured.getReadOnlyProperty();
    }

    /// Shows the values of the images of these cells.
    /// @param rows empty for a grid, whose rows are not measured: their images differ in more than the seed
    void show(CompareCells cells, List<CompareRow> rows) {
        shown = new ShownRows(cells, List.copyOf(rows));
        update();
    }

    @Nullable
    ShownRows shown() {
        return shown;
    }

    private void update() {
        if (shown == null) return;
        List<Optional<ClipScores>> found = new ArrayList<>();
        List<FigureRow> figureRows = new ArrayList<>();
        for (int row = 0; row < shown.rows.size(); row++) {
            RowMeasures measures = known.get(shown.key(row));
            found.add(Optional.ofNullable(measures).map(values -> values.samples().scores()));
            CompareRow shownRow = shown.rows.get(row);
            if (measures != null)
                figureRows.add(new FigureRow(row, shownRow.title(), shownRow.adapter().bytes(), measures.images(),
                        measures.intervals()));
        }
        scores.set(found);
        figure.set(new CompareFigure(figureRows));
        unmeasured.set(unmeasuredRows(shown).size());
    }

    private List<Integer> unmeasuredRows(ShownRows now) {
        List<Integer> result = new ArrayList<>();
        for (int row = 0; row < now.rows.size(); row++)
            if (now.cells.isComplete(row) && !known.containsKey(now.key(row))) result.add(row);
        return result;
    }

    /// Measures the rows that are complete and were not measured.
    public void measure() {
        measure(() -> {});
    }

    /// @param then called after the measurement, or at once if there is nothing to measure
    void measure(Runnable then) {
        ShownRows now = shown;
        List<Integer> rows = now == null ? List.of() : unmeasuredRows(now);
        if (now == null || rows.isEmpty() || isMeasuring()) {
            then.run();
            return;
        }
        List<String> keys = rows.stream().map(now::key).toList();
        List<List<PromptImages>> images = rows.stream().map(now.cells::imagesByPrompt).toList();
        status.set(text("compare.measuring"));
        running = services.queue()
                .submit(text("compare.measuring.of", now.cells.context().subject().title()),
                        (entry, cancellation) -> services.generator()
                                .evaluate(new RowGenerator.EvaluationRequest(now.cells.context().model(),
                                        now.photoFiles(), images), cancellation)
                                .map(found -> withIntervals(found, images)),
                        outcome -> {
                            onMeasured(keys, outcome);
                            then.run();
                        });
    }

    private boolean isMeasuring() { return running != null && services.queue().entries().contains(running); }

    private static List<RowMeasures> withIntervals(List<ClipSamples> rows, List<List<PromptImages>> images) {
        List<RowMeasures> result = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++)
            result.add(RowMeasures.of(rows.get(i), images.get(i).stream().mapToInt(one -> one.images().size()).sum()));
        return result;
    }

    private void onMeasured(List<String> keys, JobOutcome<Optional<List<RowMeasures>>> outcome) {
        status.set("");
        switch (outcome) {
            case JobOutcome.Succeeded<Optional<List<RowMeasures>>>(Optional<List<RowMeasures>> found) ->
                    note.set(found.map(rows -> keep(keys, rows)).orElseGet(() -> text("compare.no-encoder")));
            case JobOutcome.Failed<Optional<List<RowMeasures>>>(String message) ->
                    note.set(text("compare.not-measured", message));
            case JobOutcome.Cancelled<Optional<List<RowMeasures>>>() -> {}
        }
        update();
    }

    /// The measured rows, the newest last.
    Map<String, RowMeasures> known() {
        return Collections.unmodifiableMap(known);
    }

    /// Rows that an earlier window measured.
    void restore(Map<String, RowMeasures> earlier) {
        earlier.forEach(known::putIfAbsent);
        if (!known.isEmpty() && note.get().isEmpty())
            note.set(describe(new ArrayList<>(known.values()).getLast().samples().scores()));
        update();
    }

    private String keep(List<String> keys, List<RowMeasures> rows) {
        for (int i = 0; i < keys.size(); i++) known.put(keys.get(i), rows.get(i));
        onMeasured.run();
        return describe(rows.getFirst().samples().scores());
    }

    private static String describe(ClipScores scores) {
        String encoder = text("compare.measured-with", scores.encoder());
        return encoder + " " + text(scores.alignment().isPresent() ? "compare.ignored-prompt" : "compare.no-alignment")
                + (scores.diversity().isPresent() ? "" : " " + text("compare.no-diversity"));
    }

    /// Cancels a running measurement.
    void cancel() {
        if (running != null) running.cancel();
    }
}

package atomstudio.app.generate;

import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.runs.RunSummary;
import atomstudio.diffusion.sample.Guidance;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import javafx.beans.property.ReadOnlyDoubleProperty;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// A prompt, settings, and rows of pictures for the same seeds: Base first, then runs.
public final class GenerateViewModel {
    private static final SubjectPrompt EMPTY = new SubjectPrompt("", SubjectPrompt.Mention.NONE, "");
    /// What the built-in model draws well, so that the first press of Generate shows something.
    private static final SubjectPrompt EXAMPLE = new SubjectPrompt("", SubjectPrompt.Mention.NONE,
            "a 3d penguin in the snow");

    private final GenerationRunner runner;
    private final MetricsViewModel metrics;
    private final SourceViewModel source;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final ReadOnlyObjectProperty<@Nullable Subject> subject;
    private final ReadOnlyObjectWrapper<SubjectPrompt> prompt;
    private final ReadOnlyObjectWrapper<ImageSettings> settings = new ReadOnlyObjectWrapper<>(
            ImageSettings.initial(512, 7.5));
    private final GalleryRow base = new GalleryRow(Optional.empty());
    private final ObservableList<GalleryRow> rows = FXCollections.observableArrayList(base);
    private final ObservableList<GalleryRow> rowsView = FXCollections.unmodifiableObservableList(rows);

    /// What makes rows, what measures them, and what files are chosen with.
    public record GenerationServices(RowGenerator generator, RowEvaluator evaluator, FileChoosers choosers) {}

    /// @param subject holds null where pictures are made without a subject
    public GenerateViewModel(Jobs jobs, GenerationServices services, InstantSource clock,
            ReadOnlyObjectProperty<@Nullable ModelSummary> model, ReadOnlyObjectProperty<@Nullable Subject> subject) {
        this.runner = new GenerationRunner(jobs, services.generator, clock);
        this.metrics = new MetricsViewModel(jobs, services.evaluator);
        this.source = new SourceViewModel(jobs, services.choosers, this);
        this.model = model;
        this.subject = subject;
        this.prompt = new ReadOnlyObjectWrapper<>(
                subject.get() == null ? EMPTY : new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "in the snow"));
        model.subscribe(now -> applyModelDefaults());
        subject.subscribe(now -> updateStale());
    }

    public ReadOnlyObjectProperty<@Nullable Subject> subject() {
        return subject;
    }

    public ReadOnlyObjectProperty<SubjectPrompt> prompt() {
        return prompt.getReadOnlyProperty();
    }

    public ReadOnlyObjectProperty<ImageSettings> settings() {
        return settings.getReadOnlyProperty();
    }

    public ObservableList<GalleryRow> rows() {
        return rowsView;
    }

    /// `LoRA rank 4 · step 12 of 25 · 0:08 left`; empty when nothing is being made.
    public ReadOnlyStringProperty busy() {
        return runner.busy();
    }

    /// How much of what was asked for is done, 0..1.
    public ReadOnlyDoubleProperty fraction() {
        return runner.fraction();
    }

    /// What the rows measure.
    public MetricsViewModel metrics() {
        return metrics;
    }

    /// What pictures start from, and what all of them wear.
    public SourceViewModel source() {
        return source;
    }

    public ReadOnlyStringProperty problem() {
        return runner.problem();
    }

    /// `12 pictures in 0:31`; of the last time.
    public ReadOnlyStringProperty report() {
        return runner.report();
    }

    /// The pictures that are there would come out otherwise now.
    public void invalidateImages() {
        rows.forEach(GalleryRow::invalidate);
    }

    /// Says something in the report's place.
    public void showMessage(String line) {
        runner.showMessage(line);
    }

    public void setPrompt(SubjectPrompt changed) {
        prompt.set(changed);
        updateStale();
    }

    public void settings(ImageSettings changed) {
        settings.set(changed);
        updateStale();
    }

    /// Other seeds, as many as before.
    public void randomizeSeeds(RandomGenerator random) {
        ImageSettings current = settings.get();
        settings(current.withSeeds(new ImageSettings.Seeds(random.nextLong(0, 1L << 31), current.seeds().count())));
    }

    /// Shows these runs below Base, in this order. Rows that were there keep their pictures.
    public void showRuns(List<RunSummary> runs) {
        List<GalleryRow> newRows = new ArrayList<>(List.of(base));
        for (RunSummary run : runs) {
            newRows.add(rows.stream()
                    .filter(row -> row.run().isPresent() && row.run().get().folder().equals(run.folder()))
                    .findFirst()
                    .orElseGet(() -> new GalleryRow(Optional.of(run))));
        }
        if (newRows.equals(rows)) return;
        rows.setAll(newRows);
        updateStale();
    }

    private void applyModelDefaults() {
        ModelSummary summary = model.get();
        if (summary == null) return;
        if (subject.get() == null && prompt.get().equals(EMPTY) && summary.origin() == ModelSummary.Origin.BUILT_IN)
            setPrompt(EXAMPLE);
        if (prompt.get().equals(EXAMPLE) && summary.origin() != ModelSummary.Origin.BUILT_IN) setPrompt(EMPTY);
        settings(settings.get()
                .withSize(new ImageSettings.OutputSize(summary.imageSize(), summary.imageSize()))
                .withSampling(settings.get()
                        .sampling()
                        .with(new Guidance(summary.defaultGuidanceScale(),
                                settings.get().sampling().guidance().rescale()))));
    }

    private void updateStale() {
        for (GalleryRow row : rows) row.showAdapters(settings.get().adapters());
        ModelSummary summary = model.get();
        if (summary == null) return;
        for (GalleryRow row : rows) row.updateStale(requestFor(row, summary));
    }

    private RowGenerator.RowRequest requestFor(GalleryRow row, ModelSummary summary) {
        Subject currentSubject = subject.get();
        String phrase = currentSubject == null ? ""
                : row.run()
                        .map(run -> phrase(run.spec().phrase().triggerWord(), run.spec().phrase().className()))
                        .orElse(currentSubject.className());
        return new RowGenerator.RowRequest(summary.path(), prompt.get().text(phrase),
                row.run().map(RunSummary::adapter), settings.get());
    }

    private static String phrase(String token, String className) {
        return (token + " " + className).strip();
    }

    public void cancel() {
        metrics.cancel();
        runner.cancel();
    }

    /// Makes the pictures that are not there yet.
    public void generate() {
        ModelSummary summary = model.get();
        if (!busy().get().isEmpty()) return;
        if (summary == null) {
            runner.fail("There is no model yet: open one on the page Models.");
            return;
        }
        List<GenerationRunner.RowTask> tasks = rows.stream()
                .map(row -> new GenerationRunner.RowTask(row, requestFor(row, summary)))
                .filter(task -> !task.row().hasImages(task.request()))
                .toList();
        if (tasks.isEmpty()) {
            runner.showMessage(
                    "These pictures are here already. Change the prompt, a setting or the seeds for others.");
            return;
        }
        metrics.cancel();
        Subject currentSubject = subject.get();
        Runnable measure = currentSubject == null ? () -> {} : metricsTask(summary.path(), currentSubject);
        runner.start(tasks, () -> {
            updateStale();
            measure.run();
        });
    }

    /// Measures the rows by the prompt as it is now, whatever is typed meanwhile.
    private Runnable metricsTask(Path folder, Subject currentSubject) {
        String classPrompt = prompt.get().text(currentSubject.className());
        return () -> metrics.measure(folder, currentSubject, classPrompt, rows);
    }
}

package atomstudio.app.generate;

import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.StepRate;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.runs.RunSummary;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.Guidance;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import javafx.beans.property.ReadOnlyDoubleProperty;
import javafx.beans.property.ReadOnlyDoubleWrapper;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// The prompt, the image settings, and gallery rows for the same seeds: the base model first, then runs. Generates all
/// outdated rows in one background job.
public final class GenerateViewModel {
    /// An initial prompt that the built-in model draws well.
    private static final SubjectPrompt EXAMPLE = SubjectPrompt.ofText("a 3d penguin in the snow");

    private final Jobs jobs;
    private final RowGenerator generator;
    private final InstantSource clock;
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
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyDoubleWrapper fraction = new ReadOnlyDoubleWrapper();
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper report = new ReadOnlyStringWrapper("");
    private StepRate stepRate;
    private int completedImages;
    private Jobs.@Nullable JobHandle running;

    public record GenerationServices(RowGenerator generator, FileChoosers choosers) {}

    /// @param subject holds null on the Generate page
    public GenerateViewModel(Jobs jobs, GenerationServices services, InstantSource clock,
            ReadOnlyObjectProperty<@Nullable ModelSummary> model, ReadOnlyObjectProperty<@Nullable Subject> subject) {
        this.jobs = jobs;
        this.generator = services.generator;
        this.clock = clock;
        this.model = model;
        this.subject = subject;
        stepRate = new StepRate(clock);
        metrics = new MetricsViewModel(jobs, services.generator);
        source = new SourceViewModel(jobs, services.choosers, this);
        prompt = new ReadOnlyObjectWrapper<>(
                subject.get() == null ? SubjectPrompt.EMPTY
                        : new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "in the snow"));
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

    /// `LoRA rank 4 · step 12 of 25 · 0:08 left`; empty when idle.
    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    /// Share of the steps of all rows that are done, 0..1.
    public ReadOnlyDoubleProperty fraction() {
        return fraction.getReadOnlyProperty();
    }

    public MetricsViewModel metrics() {
        return metrics;
    }

    public SourceViewModel source() {
        return source;
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Result of the last generation: `12 images in 31 s`.
    public ReadOnlyStringProperty report() {
        return report.getReadOnlyProperty();
    }

    /// Marks all images as outdated.
    public void invalidateImages() {
        rows.forEach(GalleryRow::invalidate);
    }

    /// Replaces the report.
    public void showMessage(String message) {
        problem.set("");
        report.set(message);
    }

    public void setPrompt(SubjectPrompt changed) {
        prompt.set(changed);
        updateStale();
    }

    public void settings(ImageSettings changed) {
        settings.set(changed);
        updateStale();
    }

    public void updateSettings(UnaryOperator<ImageSettings> change) {
        ImageSettings changed = change.apply(settings.get());
        if (!changed.equals(settings.get())) settings(changed);
    }

    public void randomizeSeeds(RandomGenerator random) {
        long first = random.nextLong(0, 1L << 31);
        updateSettings(now -> now.withSeeds(new ImageSettings.Seeds(first, now.seeds().count())));
    }

    /// Shows one row per run below the base model, in this order. Existing rows keep their images.
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
        boolean builtIn = summary.origin() == ModelSummary.Origin.BUILT_IN;
        if (subject.get() == null && prompt.get().equals(SubjectPrompt.EMPTY) && builtIn) setPrompt(EXAMPLE);
        if (prompt.get().equals(EXAMPLE) && !builtIn) setPrompt(SubjectPrompt.EMPTY);
        ImageSettings current = settings.get();
        Guidance guidance = new Guidance(summary.defaultGuidanceScale(), current.sampling().guidance().rescale());
        settings(current.withSize(new ImageSettings.OutputSize(summary.imageSize(), summary.imageSize()))
                .withSampling(current.sampling().with(guidance)));
    }

    private void updateStale() {
        for (GalleryRow row : rows) row.showAdapters(settings.get().adapters());
        ModelSummary summary = model.get();
        if (summary == null) return;
        for (GalleryRow row : rows) row.updateStale(requestFor(row, summary));
    }

    private RowGenerator.RowRequest requestFor(GalleryRow row, ModelSummary summary) {
        Subject currentSubject = subject.get();
        Optional<String> runPhrase = row.run().map(run -> run.spec().phrase().text());
        String phrase = currentSubject == null ? "" : runPhrase.orElse(currentSubject.className());
        return new RowGenerator.RowRequest(summary.path(), prompt.get().text(phrase),
                row.run().map(RunSummary::adapter), settings.get());
    }

    public void cancel() {
        metrics.cancel();
        if (running != null) running.cancel();
    }

    /// Generates all rows that are missing or stale.
    public void generate() {
        ModelSummary summary = model.get();
        if (!busy.get().isEmpty()) return;
        if (summary == null) {
            problem.set("No model: open one on the Models page.");
            return;
        }
        Map<GalleryRow, RowGenerator.RowRequest> requests = new LinkedHashMap<>();
        for (GalleryRow row : rows) requests.put(row, requestFor(row, summary));
        requests.entrySet().removeIf(entry -> entry.getKey().hasImages(entry.getValue()));
        if (requests.isEmpty()) {
            showMessage("Nothing changed. Edit the prompt, settings or seed.");
            return;
        }
        metrics.cancel();
        showMessage("");
        requests.forEach((row, request) -> row.begin(request.settings().seeds().list()));
        busy.set("Loading the model…");
        fraction.set(0);
        completedImages = 0;
        stepRate = new StepRate(clock);
        stepRate.update(0);
        Instant started = clock.instant();
        Subject currentSubject = subject.get();
        // The metrics are for the prompt of these images, even if it is edited meanwhile.
        String classPrompt = currentSubject == null ? "" : prompt.get().text(currentSubject.className());
        Consumer<Runnable> uiThread = jobs.deliverEach(Runnable::run);
        running = jobs.start("Generating", cancellation -> {
            generateRows(requests, uiThread, cancellation);
            return requests;
        }, outcome -> {
            onEnded(outcome, requests, started);
            updateStale();
            if (currentSubject != null) metrics.measure(summary.path(), currentSubject, classPrompt, rows);
        });
    }

    /// For the job's thread.
    /// @param uiThread runs its argument on the window's thread
    private void generateRows(Map<GalleryRow, RowGenerator.RowRequest> requests, Consumer<Runnable> uiThread,
            Cancellation cancellation) throws Failure {
        int index = 0;
        for (Map.Entry<GalleryRow, RowGenerator.RowRequest> entry : requests.entrySet()) {
            cancellation.throwIfRequested();
            GalleryRow row = entry.getKey();
            int completedRows = index++;
            generator.generate(entry.getValue(), new RowGenerator.RowListener() {
                @Override
                public void step(int done, int total) {
                    double all = (completedRows + (double) done / total) / requests.size();
                    uiThread.accept(() -> showStep(row, done, total, all));
                }

                @Override
                public void preview(int column, RgbImage image) {
                    uiThread.accept(() -> row.showPreview(column, image));
                }

                @Override
                public void image(int column, RowGenerator.GeneratedImage generated) {
                    uiThread.accept(() -> row.setImage(column, generated));
                    uiThread.accept(() -> completedImages++);
                }

                @Override
                public void warning(String message) {
                    uiThread.accept(() -> row.addWarning(message));
                }
            }, cancellation);
            uiThread.accept(() -> row.complete(entry.getValue()));
        }
    }

    private void showStep(GalleryRow row, int done, int total, double allRows) {
        fraction.set(allRows);
        stepRate.update(allRows);
        row.showStep(done, total);
        double secondsLeft = stepRate.secondsPerStep() * (1 - allRows);
        busy.set(row.title() + " · step " + done + " of " + total
                + (secondsLeft > 0 ? " · " + DisplayFormat.clock(secondsLeft) + " left" : ""));
    }

    private void onEnded(JobOutcome<?> outcome, Map<GalleryRow, RowGenerator.RowRequest> requests, Instant started) {
        busy.set("");
        running = null;
        requests.keySet().forEach(GalleryRow::stop);
        int imageCount = requests.values().stream().mapToInt(request -> request.settings().seeds().count()).sum();
        double seconds = Duration.between(started, clock.instant()).toMillis() / 1000.0;
        String images = DisplayFormat.plural(imageCount, "image");
        switch (outcome) {
            case JobOutcome.Succeeded<?> _ -> report.set(images + " in " + DisplayFormat.duration(seconds)
                    + " · same seeds and noise in every row");
            case JobOutcome.Failed<?>(String message) -> problem.set(message);
            case JobOutcome.Cancelled<?> _ -> report.set("Cancelled – " + completedImages + " of " + images + " done");
        }
    }
}

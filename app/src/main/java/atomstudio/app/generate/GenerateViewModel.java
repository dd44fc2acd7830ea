package atomstudio.app.generate;

import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.GalleryViewModel;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.settings.AppSettings;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import javafx.beans.property.BooleanProperty;
import javafx.beans.property.ReadOnlyDoubleProperty;
import javafx.beans.property.ReadOnlyDoubleWrapper;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.beans.property.SimpleBooleanProperty;
import javafx.beans.value.ObservableValue;
import javafx.collections.FXCollections;
import javafx.collections.ListChangeListener;
import javafx.collections.ObservableList;
import javafx.collections.WeakListChangeListener;
import org.jspecify.annotations.Nullable;

/// The prompt, the image settings, and gallery rows for the same seeds: the base model first, then runs. Generates all
/// outdated rows in one background job.
public final class GenerateViewModel {
    /// An initial prompt that the built-in model draws well.
    private static final SubjectPrompt EXAMPLE = SubjectPrompt.ofText("a 3d penguin in the snow");

    private final Jobs jobs;
    private final GenerationServices services;
    private final InstantSource clock;
    private final MetricsViewModel metrics;
    private final SourceViewModel source;
    private final AdaptersViewModel adapters;
    private final LiveStrength live;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final ReadOnlyObjectProperty<@Nullable Subject> subject;
    private final ReadOnlyObjectWrapper<SubjectPrompt> prompt;
    private final ReadOnlyObjectWrapper<ImageSettings> settings = new ReadOnlyObjectWrapper<>(
            ImageSettings.initial(ModelDefaults.INITIAL));
    private final CurrentFileVersions files;
    private ModelDefaults appliedDefaults = ModelDefaults.INITIAL;
    private final GalleryRow base = new GalleryRow(Optional.empty());
    private final ObservableList<GalleryRow> rows = FXCollections.observableArrayList(base);
    private final ObservableList<GalleryRow> rowsView = FXCollections.unmodifiableObservableList(rows);
    private final ReadOnlyObjectWrapper<GenerationPlan> plan = new ReadOnlyObjectWrapper<>(GenerationPlan.NONE);
    private final BooleanProperty seedLocked = new SimpleBooleanProperty();
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyDoubleWrapper fraction = new ReadOnlyDoubleWrapper();
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper report = new ReadOnlyStringWrapper("");
    /// Held here only: the gallery outlives the page of a deleted subject.
    private final ListChangeListener<GalleryImage> galleryListener = change -> updateRows();
    private final PromptHistory history = new PromptHistory();
    private Runnable onGenerate = this::generateRows;
    private Runnable onCancel = this::cancelRows;
    /// This page's batches in the queue, in their order.
    private final List<ImageBatch> batches = new ArrayList<>();

    /// @param images  to generate; if there are none, those of the next seeds
    /// @param seconds of their generation, by the images before; empty if unknown
    public record GenerationPlan(int images, OptionalDouble seconds) {
        static final GenerationPlan NONE = new GenerationPlan(0, OptionalDouble.empty());
    }

    /// @param queue of all pages: one model is open at a time
    /// @param preferences of the time of the call
    public record GenerationServices(RowGenerator generator, FileChoosers choosers, GalleryViewModel gallery,
            JobQueue queue, Supplier<AppSettings.GenerationPreferences> preferences, NoticesViewModel notices,
            AdapterLibrary adapters, GenerationRate rate) {}

    /// @param subject holds null on the Generate page
    public GenerateViewModel(Jobs jobs, GenerationServices services, InstantSource clock,
            ReadOnlyObjectProperty<@Nullable ModelSummary> model, ReadOnlyObjectProperty<@Nullable Subject> subject) {
        this.jobs = jobs;
        this.services = services;
        this.clock = clock;
        this.model = model;
        this.subject = subject;
        files = new CurrentFileVersions(jobs, problem::set);
        metrics = new MetricsViewModel(services.queue, services.generator);
        source = new SourceViewModel(jobs, services.choosers, services.notices, this);
        adapters = new AdaptersViewModel(services, this);
        live = new LiveStrength(jobs, services, clock, this::firstAdaptedOrder, this::subjectName);
        prompt = new ReadOnlyObjectWrapper<>(
                subject.get() == null ? SubjectPrompt.EMPTY
                        : new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "in the snow"));
        // On a subject's page rows are compared at the same seeds.
        seedLocked.set(subject.get() != null);
        seedLocked.subscribe(now -> updateRows());
        model.subscribe(now -> applyModelDefaults());
        subject.subscribe(now -> updateRows());
        services.gallery.images().addListener(new WeakListChangeListener<>(galleryListener));
    }

    public ReadOnlyObjectProperty<@Nullable Subject> subject() {
        return subject;
    }

    /// What the current model suggests.
    public ObservableValue<ModelDefaults> defaults() {
        return model.map(ModelSummary::defaults).orElse(ModelDefaults.INITIAL);
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

    public GalleryViewModel gallery() {
        return services.gallery;
    }

    /// `LoRA rank 4 · step 12 of 25 · 0:08 left`, or what the page's images wait for; empty when idle.
    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    /// Share of the steps of the current batch that are done, 0..1.
    public ReadOnlyDoubleProperty fraction() {
        return fraction.getReadOnlyProperty();
    }

    public MetricsViewModel metrics() {
        return metrics;
    }

    public SourceViewModel source() {
        return source;
    }

    public AdaptersViewModel adapters() {
        return adapters;
    }

    LiveStrength live() {
        return live;
    }

    /// What Generate makes now.
    public ReadOnlyObjectProperty<GenerationPlan> plan() {
        return plan.getReadOnlyProperty();
    }

    /// Whether Generate keeps the seeds when all their images exist, rather than drawing new ones.
    public BooleanProperty seedLocked() {
        return seedLocked;
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Result of the last generation: `12 images in 31 s`.
    public ReadOnlyStringProperty report() {
        return report.getReadOnlyProperty();
    }

    /// Reads an image of the gallery in the background; one that is gone is not delivered.
    void readImage(GalleryImage image, Consumer<RgbImage> listener) {
        jobs.start("Reading " + image.file().getFileName(), cancellation -> image.read(), listener, unreadable -> {});
    }

    /// Compares the images with the preferences again.
    public void refreshRows() {
        updateRows();
    }

    /// Replaces the report.
    public void showMessage(String message) {
        problem.set("");
        report.set(message);
    }

    public void setPrompt(SubjectPrompt changed) {
        prompt.set(changed);
        updateRows();
    }

    /// Shows the next older prompt of the page's images.
    public void showOlderPrompt() {
        history.older(prompt.get(),
                () -> PromptHistory.of(services.gallery, subject.get(), rows)).ifPresent(this::setPrompt);
    }

    /// Shows the next newer prompt, at last the one that was being edited.
    public void showNewerPrompt() {
        history.newer(prompt.get()).ifPresent(this::setPrompt);
    }

    public void settings(ImageSettings changed) {
        settings.set(changed);
        updateRows();
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
        updateRows();
    }

    private void applyModelDefaults() {
        ModelSummary summary = model.get();
        if (summary == null) return;
        boolean builtIn = summary.origin() == ModelSummary.Origin.BUILT_IN;
        if (subject.get() == null && prompt.get().equals(SubjectPrompt.EMPTY) && builtIn) setPrompt(EXAMPLE);
        if (prompt.get().equals(EXAMPLE) && !builtIn) setPrompt(SubjectPrompt.EMPTY);
        ModelDefaults before = appliedDefaults;
        appliedDefaults = summary.defaults();
        settings(settings.get().withDefaults(before, summary.defaults()));
    }

    /// Reads again which versions of the model and adapter files there are: other programs may have replaced one.
    public void checkFiles() {
        readFiles(() -> {});
    }

    private Set<Path> neededFiles() {
        Set<Path> needed = new HashSet<>();
        ModelSummary summary = model.get();
        if (summary != null) needed.add(summary.path());
        for (GalleryRow row : rows) row.run().map(RunSummary::adapter).ifPresent(needed::add);
        settings.get().adapters().forEach(adapter -> needed.add(adapter.file()));
        return needed;
    }

    /// @param then called after the rows are updated
    private void readFiles(Runnable then) {
        files.read(neededFiles(), () -> {
            updateRows();
            then.run();
        });
    }

    private void updateRows() {
        for (GalleryRow row : rows) row.showAdapters(settings.get().activeAdapters());
        ModelSummary summary = model.get();
        if (summary == null) return;
        if (!files.contains(neededFiles())) {
            if (!files.isReading()) checkFiles();
            return;
        }
        Set<String> queued = queuedOrders();
        for (GalleryRow row : rows) row.update(requestFor(row, summary), services.gallery, queued);
        updatePlan(summary, queued);
    }

    private void updatePlan(ModelSummary summary, Set<String> queued) {
        int images = 0;
        boolean drawsSeeds = drawsSeeds(missing(summary, queued));
        OptionalDouble seconds = OptionalDouble.of(0);
        for (GalleryRow row : rows) {
            RowGenerator.RowRequest request = requestFor(row, summary);
            int count = drawsSeeds ? settings.get().seeds().count()
                    : GalleryRow.missingSeeds(request, services.gallery, queued).size();
            OptionalDouble more = count == 0 ? OptionalDouble.of(0) : services.rate.seconds(request, count);
            images += count;
            seconds = seconds.isEmpty() || more.isEmpty() ? OptionalDouble.empty()
                    : OptionalDouble.of(seconds.getAsDouble() + more.getAsDouble());
        }
        plan.set(new GenerationPlan(images, seconds));
    }

    /// Whether Generate makes images of new seeds: all images of these exist.
    private boolean drawsSeeds(List<ImageBatch.RowOrder> missing) {
        return missing.isEmpty() && !seedLocked.get()
                && rows.stream()
                        .flatMap(row -> row.cells().stream())
                        .allMatch(cell -> cell.state() == GalleryRow.CellState.CURRENT);
    }

    private Optional<LiveStrength.LiveOrder> firstAdaptedOrder() {
        ModelSummary summary = model.get();
        if (summary == null || !files.contains(neededFiles())) return Optional.empty();
        List<Long> first = List.of(settings.get().seeds().first());
        return rows.stream()
                .map(row -> new LiveStrength.LiveOrder(row, new ImageBatch.RowOrder(row, requestFor(row, summary),
                        baseRequest(row, summary), first)))
                .filter(live -> !live.order().request().adapters().isEmpty())
                .findFirst();
    }

    /// Of the image to compare a row's with.
    private RowGenerator.RowRequest baseRequest(GalleryRow row, ModelSummary summary) {
        RowGenerator.RowRequest request = requestFor(base, summary);
        return row == base ? request.withoutAdapters() : request;
    }

    private String subjectName() {
        Subject current = subject.get();
        return current == null ? "" : current.name();
    }

    private List<ImageBatch.RowOrder> missing(ModelSummary summary, Set<String> queued) {
        List<ImageBatch.RowOrder> orders = new ArrayList<>();
        for (GalleryRow row : rows) {
            RowGenerator.RowRequest request = requestFor(row, summary);
            List<Long> seeds = GalleryRow.missingSeeds(request, services.gallery, queued);
            if (!seeds.isEmpty())
                orders.add(new ImageBatch.RowOrder(row, request, baseRequest(row, summary), seeds));
        }
        return orders;
    }

    private Set<String> queuedOrders() {
        Set<String> queued = new HashSet<>();
        for (ImageBatch batch : batches) queued.addAll(batch.remainingOrders());
        return queued;
    }

    private RowGenerator.RowRequest requestFor(GalleryRow row, ModelSummary summary) {
        Subject currentSubject = subject.get();
        Optional<String> runPhrase = row.run().map(run -> run.spec().phrase().text());
        String phrase = currentSubject == null ? "" : runPhrase.orElse(currentSubject.className());
        return new RowGenerator.RowRequest(summary.path(), prompt.get().text(phrase),
                row.run().map(RunSummary::adapter), settings.get(),
                RowGenerator.Rendering.of(services.preferences.get()), files.get());
    }

    /// Cancels the images of this page that wait or are being generated.
    public void cancel() {
        onCancel.run();
    }

    private void cancelRows() {
        metrics.cancel();
        List.copyOf(batches).forEach(ImageBatch::cancel);
    }

    /// Lets another view model generate from the prompt and the settings, in the place of the rows here.
    public void setGeneration(Runnable generate, Runnable cancel) {
        onGenerate = generate;
        onCancel = cancel;
    }

    /// Submits the images that neither exist nor are in the queue.
    public void generate() {
        onGenerate.run();
    }

    private void generateRows() {
        if (model.get() == null) problem.set("No model: open one on the Models page.");
        else readFiles(this::generateMissing);
    }

    private void generateMissing() {
        ModelSummary summary = model.get();
        if (summary == null) return;
        Set<String> queued = queuedOrders();
        List<ImageBatch.RowOrder> orders = missing(summary, queued);
        if (drawsSeeds(orders)) {
            randomizeSeeds(RandomGenerator.getDefault());
            orders = missing(summary, queued);
        }
        if (orders.isEmpty()) {
            showMessage(queued.isEmpty() ? "Nothing changed. Edit the prompt, settings or seed."
                    : "These images are already in the queue.");
            measure();
            return;
        }
        submit(orders);
    }

    private void submit(List<ImageBatch.RowOrder> orders) {
        metrics.cancel();
        showMessage("");
        ImageBatch batch = new ImageBatch(orders, subjectName(), services, clock);
        batches.add(batch);
        rows.stream().filter(batch::contains).forEach(GalleryRow::begin);
        updateRows();
        showProgress();
        batch.submit(jobs.deliverEach(Runnable::run), this::showProgress, outcome -> onEnded(batch, outcome));
    }

    private void showProgress() {
        busy.set(batches.isEmpty() ? "" : batches.getFirst().status());
        fraction.set(batches.isEmpty() ? 0 : batches.getFirst().fraction());
    }

    private void onEnded(ImageBatch batch, JobOutcome<?> outcome) {
        batches.remove(batch);
        for (ImageBatch.RowOrder order : batch.orders()) order.row().stop();
        for (GalleryRow row : rows)
            if (batch.contains(row) && batches.stream().anyMatch(other -> other.contains(row))) row.begin();
        updateRows();
        showProgress();
        String images = DisplayFormat.plural(batch.imageCount(), "image");
        switch (outcome) {
            case JobOutcome.Succeeded<?> _ -> report.set(images + " in " + DisplayFormat.duration(batch.seconds())
                    + (rows.size() > 1 ? " · same seeds and noise in every row" : ""));
            case JobOutcome.Failed<?>(String message) -> problem.set(message);
            case JobOutcome.Cancelled<?> _ -> report.set("Cancelled – " + batch.completedCount() + " of " + images
                    + " done");
        }
        if (batches.isEmpty()) measure();
    }

    /// Measures rows whose images are all current.
    private void measure() {
        ModelSummary summary = model.get();
        Subject currentSubject = subject.get();
        if (summary != null && currentSubject != null)
            metrics.measure(summary.path(), currentSubject, prompt.get().text(currentSubject.className()), rows);
    }
}

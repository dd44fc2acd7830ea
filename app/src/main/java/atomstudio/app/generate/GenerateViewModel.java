package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.GalleryViewModel;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.app.settings.AppSettings;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Path;
import java.time.InstantSource;
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
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.SimpleBooleanProperty;
import javafx.beans.value.ObservableValue;
import javafx.collections.ListChangeListener;
import javafx.collections.WeakListChangeListener;
import org.jspecify.annotations.Nullable;

/// The prompt, the image settings, and the row of their images, one per seed. Generates the outdated images in one
/// background job.
public final class GenerateViewModel {
    private final Jobs jobs;
    private final GenerationServices services;
    private final SourceViewModel source;
    private final AdaptersViewModel adapters;
    private final LiveStrength live;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final ReadOnlyObjectProperty<@Nullable Subject> subject;
    private final PromptViewModel prompt;
    private final ReadOnlyObjectWrapper<ImageSettings> settings = new ReadOnlyObjectWrapper<>(
            ImageSettings.initial(ModelDefaults.INITIAL));
    private final CurrentFileVersions files;
    private ModelDefaults appliedDefaults = ModelDefaults.INITIAL;
    private final GalleryRow row = new GalleryRow();
    private final ReadOnlyObjectWrapper<GenerationPlan> plan = new ReadOnlyObjectWrapper<>(GenerationPlan.NONE);
    private final BooleanProperty seedLocked = new SimpleBooleanProperty();
    private final ImageBatches batches;
    /// Held here only: the gallery outlives the page of a deleted subject.
    private final ListChangeListener<GalleryImage> galleryListener = change -> update();
    private Runnable onGenerate = this::generateRow;
    private Runnable onCancel;

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
        this.model = model;
        this.subject = subject;
        batches = new ImageBatches(jobs, services, clock, this::update, this::onEnded);
        onCancel = batches::cancel;
        files = new CurrentFileVersions(jobs, batches::showProblem);
        source = new SourceViewModel(jobs, services.choosers, services.notices, this);
        adapters = new AdaptersViewModel(services, this);
        live = new LiveStrength(jobs, services, clock, this::firstAdaptedOrder, this::subjectName);
        prompt = new PromptViewModel(services.gallery, subject);
        prompt.property().addListener((property, before, now) -> update());
        // On a subject's page images are compared at the same seeds.
        seedLocked.set(subject.get() != null);
        seedLocked.subscribe(now -> update());
        model.subscribe(now -> applyModelDefaults());
        subject.subscribe(now -> update());
        services.gallery.images().addListener(new WeakListChangeListener<>(galleryListener));
    }

    public ReadOnlyObjectProperty<@Nullable Subject> subject() {
        return subject;
    }

    /// What the current model suggests.
    public ObservableValue<ModelDefaults> defaults() {
        return model.map(ModelSummary::defaults).orElse(ModelDefaults.INITIAL);
    }

    public PromptViewModel prompt() {
        return prompt;
    }

    public ReadOnlyObjectProperty<ImageSettings> settings() {
        return settings.getReadOnlyProperty();
    }

    public GalleryRow row() {
        return row;
    }

    public GalleryViewModel gallery() {
        return services.gallery;
    }

    /// The images of this page in the queue.
    public ImageBatches batches() {
        return batches;
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

    /// Reads an image of the gallery in the background; one that is gone is not delivered.
    void readImage(GalleryImage image, Consumer<RgbImage> listener) {
        jobs.start(text("generate.reading", image.file().getFileName()), cancellation -> image.read(), listener,
                unreadable -> {});
    }

    public void settings(ImageSettings changed) {
        settings.set(changed);
        update();
    }

    public void updateSettings(UnaryOperator<ImageSettings> change) {
        ImageSettings changed = change.apply(settings.get());
        if (!changed.equals(settings.get())) settings(changed);
    }

    public void randomizeSeeds(RandomGenerator random) {
        long first = random.nextLong(0, 1L << 31);
        updateSettings(now -> now.withSeeds(new ImageSettings.Seeds(first, now.seeds().count())));
    }

    private void applyModelDefaults() {
        ModelSummary summary = model.get();
        if (summary == null) return;
        prompt.showExample(summary);
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
        settings.get().adapters().forEach(adapter -> needed.add(adapter.file()));
        return needed;
    }

    /// @param then called after the row is updated
    private void readFiles(Runnable then) {
        files.read(neededFiles(), () -> {
            update();
            then.run();
        });
    }

    /// Finds the images of the prompt, the settings and the preferences of now.
    public void update() {
        ModelSummary summary = model.get();
        if (summary == null) return;
        if (!files.contains(neededFiles())) {
            if (!files.isReading()) checkFiles();
            return;
        }
        Set<String> queued = batches.queued();
        row.update(request(summary), services.gallery, queued);
        updatePlan(summary, queued);
    }

    private void updatePlan(ModelSummary summary, Set<String> queued) {
        RowGenerator.RowRequest request = request(summary);
        List<Long> missing = GalleryRow.missingSeeds(request, services.gallery, queued);
        int images = drawsSeeds(missing) ? settings.get().seeds().count() : missing.size();
        plan.set(new GenerationPlan(images,
                images == 0 ? OptionalDouble.of(0) : services.rate.seconds(request, images)));
    }

    /// Whether Generate makes images of new seeds: all images of these exist.
    private boolean drawsSeeds(List<Long> missing) {
        return missing.isEmpty() && !seedLocked.get()
                && row.cells().stream().allMatch(cell -> cell.state() == GalleryRow.CellState.CURRENT);
    }

    private Optional<LiveStrength.LiveOrder> firstAdaptedOrder() {
        ModelSummary summary = model.get();
        if (summary == null || !files.contains(neededFiles())) return Optional.empty();
        return Optional.of(order(summary, List.of(settings.get().seeds().first())))
                .filter(order -> !order.request().adapters().isEmpty())
                .map(order -> new LiveStrength.LiveOrder(row, order));
    }

    private ImageBatch.RowOrder order(ModelSummary summary, List<Long> seeds) {
        RowGenerator.RowRequest request = request(summary);
        return new ImageBatch.RowOrder(row, request, request.withoutAdapters(), seeds);
    }

    private String subjectName() {
        Subject current = subject.get();
        return current == null ? "" : current.name();
    }

    private RowGenerator.RowRequest request(ModelSummary summary) {
        Subject currentSubject = subject.get();
        return new RowGenerator.RowRequest(summary.path(),
                prompt.get().text(currentSubject == null ? "" : currentSubject.className()), Optional.empty(),
                settings.get(), RowGenerator.Rendering.of(services.preferences.get()), files.get());
    }

    /// Cancels the images of this page that wait or are being generated.
    public void cancel() {
        onCancel.run();
    }

    /// Lets another view model generate from the prompt and the settings, in the place of the row here.
    public void setGeneration(Runnable generate, Runnable cancel) {
        onGenerate = generate;
        onCancel = cancel;
    }

    /// Submits the images that neither exist nor are in the queue.
    public void generate() {
        onGenerate.run();
    }

    private void generateRow() {
        if (model.get() == null) batches.showProblem(text("generate.no-model-open-one-on-the"));
        else readFiles(this::generateMissing);
    }

    private void generateMissing() {
        ModelSummary summary = model.get();
        if (summary == null) return;
        Set<String> queued = batches.queued();
        List<Long> seeds = GalleryRow.missingSeeds(request(summary), services.gallery, queued);
        if (drawsSeeds(seeds)) {
            randomizeSeeds(RandomGenerator.getDefault());
            seeds = GalleryRow.missingSeeds(request(summary), services.gallery, queued);
        }
        if (!seeds.isEmpty()) submit(order(summary, seeds));
        else
            batches.showMessage(queued.isEmpty() ? text("generate.nothing-changed-edit-the-prompt-settings")
                    : text("generate.these-images-are-already-in-the"));
    }

    private void submit(ImageBatch.RowOrder order) {
        row.begin();
        batches.submit(List.of(order), subjectName());
    }

    private void onEnded() {
        row.stop();
        if (!batches.isIdle()) row.begin();
        update();
    }
}

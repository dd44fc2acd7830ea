package atomstudio.app.subjects;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CompareRows;
import atomstudio.app.compare.CompareViewModel;
import atomstudio.app.dataset.PhotoCheck;
import atomstudio.app.dataset.Subject;
import atomstudio.app.export.ExportViewModel;
import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunQueue;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.runs.RunsViewModel;
import atomstudio.app.services.Services;
import atomstudio.app.train.MethodEstimates;
import atomstudio.app.train.TrainViewModel;
import atomstudio.app.trash.Deletions;
import atomstudio.tuning.config.TrainingConfig.CropMode;
import atomstudio.tuning.method.MethodName;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javafx.beans.property.ReadOnlyBooleanProperty;
import javafx.beans.property.ReadOnlyBooleanWrapper;
import javafx.beans.property.ReadOnlyIntegerProperty;
import javafx.beans.property.ReadOnlyIntegerWrapper;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.ListChangeListener;

/// A subject's page: its tabs, and what they show: photos, training, runs, image generation and export.
public final class SubjectPageViewModel {
    /// The parts of a subject's page. One is shown at a time, over the whole width.
    public enum PageTab { PHOTOS, TRAIN, COMPARE }

    /// View models that all pages share.
    public record SharedModels(ModelsViewModel models, RunQueue queue, MethodEstimates estimates, Deletions deletions,
            GenerateViewModel.GenerationServices generation, LargeImageViewModel largeImage) {}

    private final SubjectViewModel subject;
    private final RunQueue queue;
    private final Deletions deletions;
    private final RunsViewModel runs;
    private final TrainViewModel train;
    private final GenerateViewModel generate;
    private final CompareViewModel compare;
    private final LargeImageViewModel largeImage;
    private final ExportViewModel export;
    private final ModelsViewModel models;
    private final ReadOnlyObjectWrapper<PageTab> tab;
    private final ReadOnlyStringWrapper sidebarText = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper photosNote = new ReadOnlyStringWrapper("");
    private final ReadOnlyIntegerWrapper trainingResolution = new ReadOnlyIntegerWrapper();
    private final ReadOnlyObjectWrapper<CropMode> trainingCrop = new ReadOnlyObjectWrapper<>(CropMode.CENTRE);
    private final ReadOnlyBooleanWrapper training = new ReadOnlyBooleanWrapper();
    private final ReadOnlyBooleanWrapper untrained = new ReadOnlyBooleanWrapper(true);

    public SubjectPageViewModel(Services services, SharedModels shared, Subject initial) {
        ModelsViewModel models = shared.models;
        RunQueue queue = shared.queue;
        Deletions deletions = shared.deletions;
        this.models = models;
        this.queue = queue;
        this.deletions = deletions;
        Services.Stores stores = services.stores();
        Services.Environment environment = services.environment();
        tab = new ReadOnlyObjectWrapper<>(initial.className().isEmpty() ? PageTab.PHOTOS : PageTab.TRAIN);
        subject = new SubjectViewModel(services, deletions, initial);
        runs = new RunsViewModel(services.jobs(), stores.runs(), queue, deletions, initial.name());
        train = new TrainViewModel(new TrainViewModel.TrainServices(services.jobs(), services.engines().costCounter(),
                services.engines().estimator(), shared.estimates, environment.choosers(),
                services.engines().methodReader()), runs, subject.subject(),
                models);
        generate = new GenerateViewModel(services.jobs(), shared.generation, environment.clock(), models.current(),
                subject.subject());
        compare = new CompareViewModel(new CompareViewModel.CompareServices(services.jobs(), shared.generation,
                environment.clock(), environment.desktop()), generate, models.current(), subject.subject());
        largeImage = shared.largeImage;
        export = new ExportViewModel(services.jobs(), services.engines().exporter(), environment.choosers(),
                environment.desktop());
        runs.runs().addListener((ListChangeListener<RunSummary>) change -> {
            update();
            compare.deleteCopies(runs.runs());
        });
        queue.current().subscribe(now -> update());
        queue.progress().subscribe(now -> update());
        subject.subject().subscribe(now -> update());
        models.current().subscribe(now -> update());
        subject.photos().addListener((ListChangeListener<SubjectViewModel.SubjectPhoto>) change -> update());
        train.training().settings().subscribe(now -> trainingCrop.set(cropMode()));
    }

    private CropMode cropMode() {
        return train.config().data().crop();
    }

    /// How the next run crops the photos.
    public ReadOnlyObjectProperty<CropMode> trainingCrop() {
        return trainingCrop.getReadOnlyProperty();
    }

    /// The side that the model draws, in pixels; 0 without a model.
    public ReadOnlyIntegerProperty trainingResolution() {
        return trainingResolution.getReadOnlyProperty();
    }

    /// That the photos look unlike what the built-in model draws; empty if they do not.
    public ReadOnlyStringProperty photosNote() {
        return photosNote.getReadOnlyProperty();
    }

    private String describePhotos() {
        ModelSummary model = models.current().get();
        boolean draws = model == null || model.origin() != ModelSummary.Origin.BUILT_IN || !PhotoCheck
                .arePhotographs(subject.photos().stream().map(SubjectViewModel.SubjectPhoto::check).toList());
        return draws ? "" : text("subjects.photos.unlike");
    }

    /// The tab that is shown: at first the photos of a subject without a class word, else training.
    public ReadOnlyObjectProperty<PageTab> tab() {
        return tab.getReadOnlyProperty();
    }

    public void openTab(PageTab opened) {
        tab.set(opened);
    }

    public SubjectViewModel subject() {
        return subject;
    }

    public RunQueue queue() {
        return queue;
    }

    /// Removes a waiting run; it returns to the end of the queue with Undo.
    public void removeQueued(RunSpec spec) {
        queue.remove(spec);
        deletions.notices().offerUndo(text("subjects.removed-from-the-queue", spec.title()), () -> queue.add(spec));
    }

    public RunsViewModel runs() {
        return runs;
    }

    public TrainViewModel train() {
        return train;
    }

    /// The prompt and settings of the comparison.
    public GenerateViewModel generate() {
        return generate;
    }

    public CompareViewModel compare() {
        return compare;
    }

    public LargeImageViewModel largeImage() {
        return largeImage;
    }

    public ExportViewModel export() {
        return export;
    }

    /// Class words that the current model draws.
    public List<String> classWords() {
        ModelSummary model = models.current().get();
        return model == null ? List.of() : model.classWords();
    }

    /// State for the sidebar: `training · 62%`, `LoRA ✓`, `6 photos`.
    public ReadOnlyStringProperty sidebarText() {
        return sidebarText.getReadOnlyProperty();
    }

    /// Whether a run of the subject is training.
    public ReadOnlyBooleanProperty training() {
        return training.getReadOnlyProperty();
    }

    /// Whether the subject has no finished run.
    public ReadOnlyBooleanProperty untrained() {
        return untrained.getReadOnlyProperty();
    }

    private void update() {
        training.set(runs.isTraining());
        untrained.set(runs.runs().stream().noneMatch(RunSummary::isDone));
        sidebarText.set(describeState());
        compare.showRuns(runs.runs());
        compare.rowChoice().offerTraining(newestCheckpoint());
        photosNote.set(describePhotos());
        ModelSummary model = models.current().get();
        trainingResolution.set(model == null ? 0 : model.imageSize());
    }

    private Optional<CompareRows.TrainingCheckpoint> newestCheckpoint() {
        RunSpec current = queue.current().get();
        int step = queue.progress().get().history().checkpoint();
        return current == null || !runs.isTraining() || step == 0 ? Optional.empty()
                : Optional.of(new CompareRows.TrainingCheckpoint(current, step));
    }

    private String describeState() {
        String name = subject.subject().get().name();
        RunSpec current = queue.current().get();
        if (current != null && current.subject().equals(name)) {
            RunProgress progress = queue.progress().get();
            return text(
                    progress.phase() == RunProgress.RunPhase.PAUSED ? "subjects.state.paused"
                            : "subjects.state.training",
                    Math.round(progress.fraction() * 100));
        }
        if (queue.waiting().stream().anyMatch(spec -> spec.subject().equals(name)))
            return text("subjects.state.queued");
        List<MethodName> trained = runs.runs()
                .stream()
                .filter(RunSummary::isDone)
                .map(run -> run.spec().choice())
                .distinct()
                .toList();
        if (trained.isEmpty()) return count("subjects.state.photos", subject.subject().get().photos().size());
        return trained.size() == 1 ? text("subjects.method-trained", trained.getFirst().displayName())
                : text("subjects.methods-trained", trained.size());
    }

    /// Whether a run is shown as a row of the comparison.
    public boolean isCompared(Path run) {
        return compare.rowChoice().isCompared(run);
    }

    /// Shows a run as a row of the comparison, or removes its rows.
    public void toggleRow(RunSummary run) {
        compare.rowChoice().toggle(run);
    }
}

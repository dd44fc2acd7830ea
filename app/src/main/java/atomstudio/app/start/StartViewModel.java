package atomstudio.app.start;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.Subject;
import atomstudio.app.dataset.SubjectStore;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.diffusion.image.KohyaFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// Creates a subject from dropped or chosen photos, or from a sample.
public final class StartViewModel {
    private static final String BUILT_IN_NOTICE = text("start.the-built-in-model-is-small");

    private final Jobs jobs;
    private final SubjectStore store;
    private final FileChoosers choosers;
    private final Navigation navigation;
    private final ObservableList<Subject.SampleSubject> samples = FXCollections.observableArrayList();
    private final ObservableList<Subject.SampleSubject> samplesView = FXCollections.unmodifiableObservableList(samples);
    private final ObservableList<SubjectStore.RejectedFile> rejected = FXCollections.observableArrayList();
    private final ObservableList<SubjectStore.RejectedFile> rejectedView = FXCollections
            .unmodifiableObservableList(rejected);
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper modelNotice = new ReadOnlyStringWrapper("");
    private Jobs.@Nullable JobHandle running;

    /// @param onCreated called with every new subject and the rejected files
    /// @param onDemonstration called with the new subject of [#showMe] in place of it
    /// @param openModels opens the Models page
    /// @param openGenerate opens the Generate page
    public record Navigation(Consumer<SubjectStore.ImportResult> onCreated,
            Consumer<SubjectStore.ImportResult> onDemonstration, Runnable openModels, Runnable openGenerate) {}

    /// @param model the current model; holds null until loaded
    public StartViewModel(Jobs jobs, SubjectStore store, FileChoosers choosers,
            ReadOnlyObjectProperty<@Nullable ModelSummary> model, Navigation navigation) {
        this.jobs = jobs;
        this.store = store;
        this.choosers = choosers;
        this.navigation = navigation;
        model.subscribe(now -> modelNotice.set(now == null ? "" : noticeFor(now)));
    }

    private static String noticeFor(ModelSummary model) {
        return model.origin() == ModelSummary.Origin.BUILT_IN ? BUILT_IN_NOTICE : "";
    }

    /// Limits of the built-in model; empty while another model is active.
    public ReadOnlyStringProperty modelNotice() {
        return modelNotice.getReadOnlyProperty();
    }

    public void openModels() {
        navigation.openModels.run();
    }

    public void openGenerate() {
        navigation.openGenerate.run();
    }

    public ObservableList<Subject.SampleSubject> samples() {
        return samplesView;
    }

    /// The files of the last drop, if none of them was an image.
    public ObservableList<SubjectStore.RejectedFile> rejected() {
        return rejectedView;
    }

    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    public void setSamples(List<Subject.SampleSubject> found) {
        samples.setAll(found);
    }

    public void choosePhotos() {
        List<Path> chosen = choosers.images(text("start.choose-photos-of-one-subject"));
        if (!chosen.isEmpty()) createFromFiles(chosen);
    }

    /// Names the subject after a dropped folder; single files get a default name.
    public void createFromFiles(List<Path> files) {
        create(files.size() == 1 && Files.isDirectory(files.getFirst()) ? subjectName(files.getFirst())
                : Subject.DEFAULT_NAME, "", files);
    }

    /// In kohya's folder layout: the words after the number of repeats.
    private static String subjectName(Path folder) {
        return KohyaFolder.of(folder)
                .map(KohyaFolder::caption)
                .filter(caption -> !caption.isEmpty())
                .orElse(folder.getFileName().toString());
    }

    public void useSample(Subject.SampleSubject sample) {
        create(sample.name(), sample.className(), List.of(sample.folder()));
    }

    /// Trains the first sample and shows the comparison.
    public void showMe() {
        if (samples.isEmpty()) return;
        Subject.SampleSubject sample = samples.getFirst();
        create(sample.name(), sample.className(), List.of(sample.folder()), navigation.onDemonstration);
    }

    public void cancel() {
        if (running != null) running.cancel();
    }

    private void create(String name, String className, List<Path> files) {
        create(name, className, files, navigation.onCreated);
    }

    private void create(String name, String className, List<Path> files,
            Consumer<SubjectStore.ImportResult> onAdded) {
        if (!busy.get().isEmpty()) return;
        rejected.clear();
        problem.set("");
        busy.set(text("start.reading-photos"));
        running = jobs.start(text("start.reading-photos-2"),
                cancellation -> store.create(name, className, files, cancellation),
                outcome -> onCreated(outcome, onAdded));
    }

    private void onCreated(JobOutcome<SubjectStore.ImportResult> outcome,
            Consumer<SubjectStore.ImportResult> onAdded) {
        busy.set("");
        running = null;
        switch (outcome) {
            case JobOutcome.Succeeded<SubjectStore.ImportResult>(SubjectStore.ImportResult result) when result
                    .addedCount() > 0 -> onAdded.accept(result);
            case JobOutcome.Succeeded<SubjectStore.ImportResult>(SubjectStore.ImportResult result) -> {
                rejected.setAll(result.rejected());
                problem.set(result.rejected().isEmpty()
                        ? text("start.no-photos-found-drop-jpeg-png")
                        : text("start.none-of-these-files-could-be"));
            }
            case JobOutcome.Failed<SubjectStore.ImportResult>(String message) -> problem.set(message);
            case JobOutcome.Cancelled<SubjectStore.ImportResult>() -> {}
        }
    }
}

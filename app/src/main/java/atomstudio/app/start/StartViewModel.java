package atomstudio.app.start;

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

/// The first page: pictures are dropped or chosen, or a sample is taken, and a subject comes out.
public final class StartViewModel {
    private static final String BUILT_IN_NOTICE = "The built-in model is small: it draws 128-pixel illustrations of some 50 everyday things, no photos. For your own photos, get a Stable Diffusion model.";

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

    /// Where the page leads.
    /// @param onCreated  gets every new subject, with the files that were refused
    /// @param openModels   opens the page Models
    /// @param openGenerate opens the page Generate
    public record Navigation(Consumer<SubjectStore.ImportResult> onCreated, Runnable openModels,
            Runnable openGenerate) {}

    /// @param model the current one; holds null until the first one was read
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

    /// What the built-in model can and cannot do; empty while another model is in use.
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

    /// Files of the last drop that were no pictures, when none of them was.
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
        List<Path> chosen = choosers.images("Choose pictures of one thing");
        if (!chosen.isEmpty()) createFromFiles(chosen);
    }

    /// A folder gives the subject its name; loose pictures do not.
    public void createFromFiles(List<Path> files) {
        create(files.size() == 1 && Files.isDirectory(files.getFirst()) ? subjectName(files.getFirst())
                : Subject.DEFAULT_NAME, "", files);
    }

    /// Of a folder in kohya's layout, the words after the number.
    private static String subjectName(Path folder) {
        return KohyaFolder.of(folder)
                .map(KohyaFolder::caption)
                .filter(caption -> !caption.isEmpty())
                .orElse(folder.getFileName().toString());
    }

    public void useSample(Subject.SampleSubject sample) {
        create(sample.name(), sample.className(), List.of(sample.folder()));
    }

    public void cancel() {
        if (running != null) running.cancel();
    }

    private void create(String name, String className, List<Path> files) {
        if (!busy.get().isEmpty()) return;
        rejected.clear();
        problem.set("");
        busy.set("Reading the pictures…");
        running = jobs.start("Reading pictures", cancellation -> store.create(name, className, files, cancellation),
                this::onCreated);
    }

    private void onCreated(JobOutcome<SubjectStore.ImportResult> outcome) {
        busy.set("");
        running = null;
        switch (outcome) {
            case JobOutcome.Succeeded<SubjectStore.ImportResult>(SubjectStore.ImportResult result) when result
                    .addedCount() > 0 -> navigation.onCreated.accept(result);
            case JobOutcome.Succeeded<SubjectStore.ImportResult>(SubjectStore.ImportResult result) -> {
                rejected.setAll(result.rejected());
                problem.set(result.rejected().isEmpty()
                        ? "There is no picture in it. Drop JPEG, PNG, WebP, GIF, BMP or TIFF files."
                        : "None of these could be read as a picture.");
            }
            case JobOutcome.Failed<SubjectStore.ImportResult>(String message) -> problem.set(message);
            case JobOutcome.Cancelled<SubjectStore.ImportResult>() -> {}
        }
    }
}

package atomstudio.app.subjects;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.JobHandle;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.diffusion.picture.KohyaFolder;
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
    private static final String BUILT_IN = "The built-in model is small: it draws 128-pixel illustrations of some 50 everyday things, no photos. For your own photos, get a Stable Diffusion model.";

    private final Jobs jobs;
    private final SubjectStore store;
    private final FileChoosers choosers;
    private final Exits exits;
    private final ObservableList<Sample> samples = FXCollections.observableArrayList();
    private final ObservableList<Sample> samplesView = FXCollections.unmodifiableObservableList(samples);
    private final ObservableList<Refusal> refusals = FXCollections.observableArrayList();
    private final ObservableList<Refusal> refusalsView = FXCollections.unmodifiableObservableList(refusals);
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper aboutModel = new ReadOnlyStringWrapper("");
    private @Nullable JobHandle reading;

    /// Where the page leads.
    /// @param created  gets every new subject, with the files that were refused
    /// @param models   opens the page Models
    /// @param generate opens the page Generate
    public record Exits(Consumer<SubjectStore.Imported> created, Runnable models, Runnable generate) {}

    /// @param model the current one; holds null until the first one was read
    public StartViewModel(Jobs jobs, SubjectStore store, FileChoosers choosers, ReadOnlyObjectProperty<@Nullable ModelSummary> model, Exits exits) {
        this.jobs = jobs;
        this.store = store;
        this.choosers = choosers;
        this.exits = exits;
        model.subscribe(now -> aboutModel.set(now == null ? "" : about(now)));
    }

    private static String about(ModelSummary model) {
        return model.origin() == ModelSummary.Origin.BUILT_IN ? BUILT_IN : "";
    }

    /// What the built-in model can and cannot do; empty while another model is in use.
    public ReadOnlyStringProperty aboutModel() {
        return aboutModel.getReadOnlyProperty();
    }

    public void openModels() {
        exits.models.run();
    }

    public void openGenerate() {
        exits.generate.run();
    }

    public ObservableList<Sample> samples() {
        return samplesView;
    }

    /// Files of the last drop that were no pictures, when none of them was.
    public ObservableList<Refusal> refusals() {
        return refusalsView;
    }

    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    public void offer(List<Sample> found) {
        samples.setAll(found);
    }

    public void choosePictures() {
        List<Path> chosen = choosers.images("Choose pictures of one thing");
        if (!chosen.isEmpty()) drop(chosen);
    }

    /// A folder gives the subject its name; loose pictures do not.
    public void drop(List<Path> files) {
        create(files.size() == 1 && Files.isDirectory(files.getFirst()) ? name(files.getFirst()) : Subject.UNNAMED, "", files);
    }

    /// Of a folder in kohya's layout, the words after the number.
    private static String name(Path folder) {
        return KohyaFolder.of(folder).map(KohyaFolder::caption).filter(caption -> !caption.isEmpty()).orElse(folder.getFileName().toString());
    }

    public void take(Sample sample) {
        create(sample.name(), sample.className(), List.of(sample.folder()));
    }

    public void cancel() {
        if (reading != null) reading.cancel();
    }

    private void create(String name, String className, List<Path> files) {
        if (!busy.get().isEmpty()) return;
        refusals.clear();
        problem.set("");
        busy.set("Reading the pictures…");
        reading = jobs.start("Reading pictures", cancellation -> store.create(name, className, files, cancellation), this::created);
    }

    private void created(JobOutcome<SubjectStore.Imported> outcome) {
        busy.set("");
        reading = null;
        switch (outcome) {
            case JobOutcome.Succeeded<SubjectStore.Imported>(SubjectStore.Imported imported) when imported.taken() > 0 -> exits.created.accept(imported);
            case JobOutcome.Succeeded<SubjectStore.Imported>(SubjectStore.Imported imported) -> {
                refusals.setAll(imported.refusals());
                problem.set(imported.refusals().isEmpty() ? "There is no picture in it. Drop JPEG, PNG, WebP, GIF, BMP or TIFF files." : "None of these could be read as a picture.");
            }
            case JobOutcome.Failed<SubjectStore.Imported>(String message) -> problem.set(message);
            case JobOutcome.Cancelled<SubjectStore.Imported>() -> {}
        }
    }
}

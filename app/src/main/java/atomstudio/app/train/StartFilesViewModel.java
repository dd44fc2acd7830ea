package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.process.RunSpec.StartFiles;
import atomstudio.app.process.RunSpec.StartFiles.MergedFile;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.ChosenSettings;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Optional;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// The adapter files that the next run starts from. The method is that of the file whose training goes on; another
/// method removes the file.
public final class StartFilesViewModel {
    private final Jobs jobs;
    private final FileChoosers choosers;
    private final MethodReader reader;
    private final MethodViewModel method;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final ReadOnlyObjectWrapper<StartFiles> files = new ReadOnlyObjectWrapper<>(StartFiles.NONE);
    private final ReadOnlyStringWrapper note = new ReadOnlyStringWrapper("");
    private @Nullable MethodSettings ofFile;

    /// Reads the method of an adapter file, as a model's method. For job threads.
    @FunctionalInterface
    public interface MethodReader {
        MethodSettings read(Path file, Path model) throws Failure;
    }

    StartFilesViewModel(TrainViewModel.TrainServices services, MethodViewModel method,
            ReadOnlyObjectProperty<@Nullable ModelSummary> model) {
        jobs = services.jobs();
        choosers = services.choosers();
        reader = services.methodReader();
        this.method = method;
        this.model = model;
        method.settings().subscribe(now -> {
            if (ofFile != null && !now.equals(ofFile)) removeFrom(text("train.from.removed"));
        });
    }

    public ReadOnlyObjectProperty<StartFiles> files() {
        return files.getReadOnlyProperty();
    }

    /// Why a file is not used; empty: nothing to report.
    public ReadOnlyStringProperty note() {
        return note.getReadOnlyProperty();
    }

    public void chooseFrom() {
        choosers.adapters(text("train.from.choose")).stream().findFirst().ifPresent(this::setFrom);
    }

    /// Goes on training an adapter; its method and settings become the form's.
    public void setFrom(Path file) {
        ModelSummary summary = model.get();
        if (summary == null) return;
        jobs.start(text("train.reading", file), cancellation -> reader.read(file, summary.path()), found -> {
            ofFile = null;
            method.replace(found.choice(), new ChosenSettings(Optional.of(found.choice()), Optional.empty(),
                    new HashMap<>(found.overrides())));
            ofFile = method.settings().get();
            note.set("");
            files.set(new StartFiles(Optional.of(file), files.get().on()));
        }, note::set);
    }

    public void removeFrom() {
        removeFrom("");
    }

    private void removeFrom(String reason) {
        ofFile = null;
        note.set(reason);
        files.set(new StartFiles(Optional.empty(), files.get().on()));
    }

    public void chooseOn() {
        choosers.adapters(text("train.on.choose")).stream().findFirst().ifPresent(file -> setOn(file, 1));
    }

    /// Trains on top of an adapter of any kind.
    public void setOn(Path file, double weight) {
        note.set("");
        files.set(new StartFiles(files.get().from(), Optional.of(new MergedFile(file, weight))));
    }

    public void removeOn() {
        note.set("");
        files.set(new StartFiles(files.get().from(), Optional.empty()));
    }
}

package atomstudio.app.models;

import atomstudio.app.desktop.AppSettings;
import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.desktop.SettingsStore;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javafx.beans.property.ReadOnlyBooleanProperty;
import javafx.beans.property.ReadOnlyBooleanWrapper;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// The models the studio knows: the embedded one first, then folders and files that were opened.
public final class ModelsViewModel {
    private final Jobs jobs;
    private final ModelLibrary library;
    private final SettingsStore settings;
    private final FileChoosers choosers;
    private final DesktopActions desktop;
    private final ObservableList<ModelSummary> known = FXCollections.observableArrayList();
    private final ObservableList<ModelSummary> knownView = FXCollections.unmodifiableObservableList(known);
    private final ObservableList<Lost> lost = FXCollections.observableArrayList();
    private final ObservableList<Lost> lostView = FXCollections.unmodifiableObservableList(lost);
    private final ReadOnlyObjectWrapper<@Nullable ModelSummary> current = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyBooleanWrapper cancellable = new ReadOnlyBooleanWrapper();
    /// Stands for the model that is being opened; null when none is.
    private @Nullable Object opening;

    public ModelsViewModel(Jobs jobs, ModelLibrary library, SettingsStore settings, FileChoosers choosers, DesktopActions desktop) {
        this.jobs = jobs;
        this.library = library;
        this.settings = settings;
        this.choosers = choosers;
        this.desktop = desktop;
    }

    /// Puts the address of a page with models on the clipboard: the studio itself connects to nothing.
    public void copyLink(String address) {
        desktop.copyToClipboard("https://" + address);
    }

    /// What was opened once and cannot be read any more: moved, damaged, on a disk that is not there.
    public ObservableList<Lost> lost() {
        return lostView;
    }

    public ObservableList<ModelSummary> known() {
        return knownView;
    }

    /// The model everything works with; null until the first one was read.
    public ReadOnlyObjectProperty<@Nullable ModelSummary> current() {
        return current.getReadOnlyProperty();
    }

    /// What is being read; empty when nothing is.
    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    /// Why the last folder was refused; empty when none was.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Reads the embedded model and those remembered; the one last chosen becomes current if it is still there.
    public void load() {
        AppSettings remembered = settings.get();
        busy.set("Reading the models");
        jobs.start("Reading the models", cancellation -> read(remembered), this::loaded);
    }

    /// What was found, and what was not.
    private record Found(List<ModelSummary> models, List<Lost> lost, String problem) {}

    /// A model that was opened once and cannot be read any more.
    public record Lost(Path place, String why) {}

    private Found read(AppSettings remembered) {
        List<ModelSummary> models = new ArrayList<>();
        List<Lost> gone = new ArrayList<>();
        String problem = "";
        try {
            models.add(library.embedded());
        } catch (Failure damaged) {
            problem = damaged.getMessage();
        }
        for (Path place : remembered.otherModels()) {
            try {
                models.add(library.open(place));
            } catch (Failure unreadable) {
                gone.add(new Lost(place, unreadable.getMessage()));
            }
        }
        return new Found(models, gone, problem);
    }

    private void loaded(JobOutcome<Found> outcome) {
        busy.set("");
        switch (outcome) {
            case JobOutcome.Succeeded<Found>(Found found) -> {
                known.setAll(found.models);
                lost.setAll(found.lost);
                problem.set(found.problem);
                Optional<Path> last = settings.get().model();
                current.set(known.stream().filter(model -> last.isPresent() && model.folder().equals(last.get())).findFirst()
                    .orElse(known.isEmpty() ? null : known.getFirst()));
            }
            case JobOutcome.Failed<Found>(String message) -> problem.set(message);
            case JobOutcome.Cancelled<Found>() -> {}
        }
    }

    public void select(ModelSummary model) {
        current.set(model);
        problem.set("");
        settings.update(now -> now.withModel(model.origin() == ModelSummary.Origin.EMBEDDED ? Optional.empty() : Optional.of(model.folder())));
    }

    /// Asks for a folder and makes its model the current one.
    public void choose() {
        choosers.folder("Choose a diffusers model folder").ifPresent(this::open);
    }

    /// Asks for a file and makes the model in it the current one.
    public void chooseFile() {
        choosers.model("Choose a model in one file").ifPresent(this::open);
    }

    /// Makes the model of a folder or file the current one, or says why it cannot be.
    public void open(Path place) {
        problem.set("");
        busy.set("Reading " + place);
        Object mine = new Object();
        opening = mine;
        cancellable.set(true);
        jobs.start("Reading " + place, cancellation -> library.open(place), outcome -> {
            if (opening != mine) return;
            finishOpening();
            switch (outcome) {
                case JobOutcome.Succeeded<ModelSummary>(ModelSummary model) -> opened(model);
                case JobOutcome.Failed<ModelSummary>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<ModelSummary>() -> {}
            }
        });
    }

    /// Gives up opening a model: the page is free at once, and what the reader still finds is dropped. Readers end within seconds.
    public void cancel() {
        if (opening != null) finishOpening();
    }

    private void finishOpening() {
        opening = null;
        cancellable.set(false);
        busy.set("");
    }

    /// Whether a model is being opened, which can be given up.
    public ReadOnlyBooleanProperty cancellable() {
        return cancellable.getReadOnlyProperty();
    }

    /// What was known of it before may have changed on the disk.
    private void opened(ModelSummary model) {
        lost.removeIf(gone -> gone.place.equals(model.folder()));
        int at = known.stream().map(ModelSummary::folder).toList().indexOf(model.folder());
        if (at >= 0) known.set(at, model);
        else known.add(model);
        if (model.origin() == ModelSummary.Origin.FOLDER && !settings.get().otherModels().contains(model.folder())) {
            settings.update(now -> now.withModels(Stream.concat(now.otherModels().stream(), Stream.of(model.folder())).toList()));
        }
        select(model);
    }

    /// Takes what cannot be read any more off the list.
    public void forget(Lost gone) {
        lost.remove(gone);
        forget(gone.place);
    }

    /// Takes a folder off the list; its files stay.
    public void forget(ModelSummary model) {
        if (model.origin() == ModelSummary.Origin.EMBEDDED) return;
        known.remove(model);
        forget(model.folder());
        if (model.equals(current.get()) && !known.isEmpty()) select(known.getFirst());
    }

    private void forget(Path place) {
        settings.update(now -> now.withModels(now.otherModels().stream().filter(path -> !path.equals(place)).toList()));
    }
}

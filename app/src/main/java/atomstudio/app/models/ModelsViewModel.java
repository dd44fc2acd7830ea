package atomstudio.app.models;

import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.settings.AppSettings;
import atomstudio.app.settings.SettingsStore;
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
    private final ModelSummary.SummaryReader reader;
    private final SettingsStore settings;
    private final FileChoosers choosers;
    private final DesktopActions desktop;
    private final ObservableList<ModelSummary> known = FXCollections.observableArrayList();
    private final ObservableList<ModelSummary> knownView = FXCollections.unmodifiableObservableList(known);
    private final ObservableList<UnreadableModel> unreadable = FXCollections.observableArrayList();
    private final ObservableList<UnreadableModel> unreadableView = FXCollections.unmodifiableObservableList(unreadable);
    private final ReadOnlyObjectWrapper<@Nullable ModelSummary> current = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyBooleanWrapper cancellable = new ReadOnlyBooleanWrapper();
    /// Stands for the model that is being opened; null when none is.
    private @Nullable Object openToken;

    public ModelsViewModel(Jobs jobs, ModelSummary.SummaryReader reader, SettingsStore settings, FileChoosers choosers,
            DesktopActions desktop) {
        this.jobs = jobs;
        this.reader = reader;
        this.settings = settings;
        this.choosers = choosers;
        this.desktop = desktop;
    }

    /// Puts the address of a page with models on the clipboard: the studio itself connects to nothing.
    public void copyLink(String address) {
        desktop.copyToClipboard("https://" + address);
    }

    /// What was opened once and cannot be read any more: moved, damaged, on a disk that is not there.
    public ObservableList<UnreadableModel> unreadable() {
        return unreadableView;
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
    private record LoadedModels(List<ModelSummary> models, List<UnreadableModel> unreadable, String problem) {}

    /// A model that was opened once and cannot be read any more.
    public record UnreadableModel(Path path, String reason) {}

    private LoadedModels read(AppSettings remembered) {
        List<ModelSummary> models = new ArrayList<>();
        List<UnreadableModel> failed = new ArrayList<>();
        String problem = "";
        try {
            models.add(reader.readBuiltIn());
        } catch (Failure damaged) {
            problem = damaged.getMessage();
        }
        for (Path path : remembered.otherModels()) {
            try {
                models.add(reader.read(path));
            } catch (Failure unreadable) {
                failed.add(new UnreadableModel(path, unreadable.getMessage()));
            }
        }
        return new LoadedModels(models, failed, problem);
    }

    private void loaded(JobOutcome<LoadedModels> outcome) {
        busy.set("");
        switch (outcome) {
            case JobOutcome.Succeeded<LoadedModels>(LoadedModels found) -> {
                known.setAll(found.models);
                unreadable.setAll(found.unreadable);
                problem.set(found.problem);
                Optional<Path> last = settings.get().model();
                current.set(known.stream()
                        .filter(model -> last.isPresent() && model.path().equals(last.get()))
                        .findFirst()
                        .orElse(known.isEmpty() ? null : known.getFirst()));
            }
            case JobOutcome.Failed<LoadedModels>(String message) -> problem.set(message);
            case JobOutcome.Cancelled<LoadedModels>() -> {}
        }
    }

    public void select(ModelSummary model) {
        current.set(model);
        problem.set("");
        settings.update(now -> now.withModel(
                model.origin() == ModelSummary.Origin.BUILT_IN ? Optional.empty() : Optional.of(model.path())));
    }

    /// Asks for a folder and makes its model the current one.
    public void chooseFolder() {
        choosers.folder("Choose a diffusers model folder").ifPresent(this::open);
    }

    /// Asks for a file and makes the model in it the current one.
    public void chooseFile() {
        choosers.model("Choose a model in one file").ifPresent(this::open);
    }

    /// Makes the model of a folder or file the current one, or says why it cannot be.
    public void open(Path path) {
        problem.set("");
        busy.set("Reading " + path);
        Object token = new Object();
        openToken = token;
        cancellable.set(true);
        jobs.start("Reading " + path, cancellation -> reader.read(path), outcome -> {
            if (openToken != token) return;
            finishOpening();
            switch (outcome) {
                case JobOutcome.Succeeded<ModelSummary>(ModelSummary model) -> onOpened(model);
                case JobOutcome.Failed<ModelSummary>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<ModelSummary>() -> {}
            }
        });
    }

    /// Gives up opening a model: the page is free at once, and what the reader still finds is dropped. Readers end
    /// within seconds.
    public void cancel() {
        if (openToken != null) finishOpening();
    }

    private void finishOpening() {
        openToken = null;
        cancellable.set(false);
        busy.set("");
    }

    /// Whether a model is being opened, which can be given up.
    public ReadOnlyBooleanProperty cancellable() {
        return cancellable.getReadOnlyProperty();
    }

    /// What was known of it before may have changed on the disk.
    private void onOpened(ModelSummary model) {
        unreadable.removeIf(entry -> entry.path.equals(model.path()));
        int index = known.stream().map(ModelSummary::path).toList().indexOf(model.path());
        if (index >= 0) known.set(index, model);
        else known.add(model);
        if (model.origin() == ModelSummary.Origin.EXTERNAL && !settings.get().otherModels().contains(model.path())) {
            settings.update(
                    now -> now.withModels(Stream.concat(now.otherModels().stream(), Stream.of(model.path())).toList()));
        }
        select(model);
    }

    /// Takes what cannot be read any more off the list.
    public void remove(UnreadableModel entry) {
        unreadable.remove(entry);
        remove(entry.path);
    }

    /// Takes a folder off the list; its files stay.
    public void remove(ModelSummary model) {
        if (model.origin() == ModelSummary.Origin.BUILT_IN) return;
        known.remove(model);
        remove(model.path());
        if (model.equals(current.get()) && !known.isEmpty()) select(known.getFirst());
    }

    private void remove(Path location) {
        settings.update(
                now -> now.withModels(now.otherModels().stream().filter(path -> !path.equals(location)).toList()));
    }
}

package atomstudio.app.models;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FailureText;
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
import javafx.collections.ObservableMap;
import org.jspecify.annotations.Nullable;

/// The known models, the built-in one first, and the current one.
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
    private final ObservableMap<Path, ModelDetails> details = FXCollections.observableHashMap();
    private final ObservableMap<Path, ModelDetails> detailsView = FXCollections.unmodifiableObservableMap(details);
    private final ReadOnlyObjectWrapper<@Nullable ModelSummary> current = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyBooleanWrapper cancellable = new ReadOnlyBooleanWrapper();
    /// Identifies the model being opened; null if none.
    private @Nullable Object openToken;

    public ModelsViewModel(Jobs jobs, ModelSummary.SummaryReader reader, SettingsStore settings, FileChoosers choosers,
            DesktopActions desktop) {
        this.jobs = jobs;
        this.reader = reader;
        this.settings = settings;
        this.choosers = choosers;
        this.desktop = desktop;
    }

    public void copyToClipboard(String text) {
        desktop.copyToClipboard(text);
    }

    /// Kind, size, hash and origin by path, as far as they are known.
    public ObservableMap<Path, ModelDetails> details() {
        return detailsView;
    }

    /// Reads what is not known yet; the hash of a large model takes seconds the first time.
    private void readDetails(List<ModelSummary> models) {
        for (ModelSummary model : models) {
            jobs.start(text("models.reading", model.path()), cancellation -> reader.readDetails(model.path()),
                    found -> found.ifPresent(known -> details.put(model.path(), known)), unreadable -> {});
        }
    }

    /// Models in the settings that cannot be read: moved, damaged, or on a missing disk.
    public ObservableList<UnreadableModel> unreadable() {
        return unreadableView;
    }

    public ObservableList<ModelSummary> known() {
        return knownView;
    }

    /// The model for training and generation; null until loaded.
    public ReadOnlyObjectProperty<@Nullable ModelSummary> current() {
        return current.getReadOnlyProperty();
    }

    /// What is being read; empty when idle.
    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    /// Why the last model could not be opened; empty if it could.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Reads the built-in model and those in the settings. The last selected one becomes current if it still exists.
    public void load() {
        AppSettings saved = settings.get();
        busy.set(text("models.reading-models"));
        jobs.start(text("models.reading-models-2"), cancellation -> read(saved), this::onLoaded, message -> {
            busy.set("");
            problem.set(message);
        });
    }

    private record LoadedModels(List<ModelSummary> models, List<UnreadableModel> unreadable, String problem) {}

    public record UnreadableModel(Path path, String reason) {}

    private LoadedModels read(AppSettings saved) {
        List<ModelSummary> models = new ArrayList<>();
        List<UnreadableModel> failed = new ArrayList<>();
        String problem = "";
        try {
            models.add(reader.readBuiltIn());
        } catch (Failure damaged) {
            problem = FailureText.of(damaged);
        }
        Stream<Path> paths = Stream.concat(saved.otherModels().stream(), reader.downloaded().stream()).distinct();
        for (Path path : paths.toList()) {
            try {
                models.add(reader.read(path));
            } catch (Failure unreadable) {
                failed.add(new UnreadableModel(path, FailureText.of(unreadable)));
            }
        }
        return new LoadedModels(models, failed, problem);
    }

    private void onLoaded(LoadedModels found) {
        busy.set("");
        known.setAll(found.models);
        unreadable.setAll(found.unreadable);
        problem.set(found.problem);
        readDetails(found.models);
        Optional<Path> last = settings.get().model();
        current.set(known.stream()
                .filter(model -> last.isPresent() && model.path().equals(last.get()))
                .findFirst()
                .orElse(known.isEmpty() ? null : known.getFirst()));
    }

    public void select(ModelSummary model) {
        current.set(model);
        problem.set("");
        settings.update(now -> now.withModel(
                model.origin() == ModelSummary.Origin.BUILT_IN ? Optional.empty() : Optional.of(model.path())));
    }

    public void chooseFolder() {
        choosers.folder(text("models.choose-a-model-folder-diffusers")).ifPresent(this::open);
    }

    public void chooseFile() {
        choosers.model(text("models.choose-a-model-file")).ifPresent(this::open);
    }

    /// Opens a model folder or file and selects it.
    public void open(Path path) {
        problem.set("");
        busy.set(text("models.reading", path));
        Object token = new Object();
        openToken = token;
        cancellable.set(true);
        jobs.start(text("models.reading", path), cancellation -> reader.read(path), outcome -> {
            if (openToken != token) return;
            finishOpening();
            switch (outcome) {
                case JobOutcome.Succeeded<ModelSummary>(ModelSummary model) -> onOpened(model);
                case JobOutcome.Failed<ModelSummary>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<ModelSummary>() -> {}
            }
        });
    }

    /// Cancels opening a model. Takes effect immediately; a late result is dropped.
    public void cancel() {
        if (openToken != null) finishOpening();
    }

    private void finishOpening() {
        openToken = null;
        cancellable.set(false);
        busy.set("");
    }

    /// Whether a model is being opened, which can be cancelled.
    public ReadOnlyBooleanProperty cancellable() {
        return cancellable.getReadOnlyProperty();
    }

    /// Adds a downloaded model, without selecting it.
    public void add(Path path) {
        jobs.start(text("models.reading", path), cancellation -> reader.read(path), this::list, problem::set);
    }

    /// Replaces an older summary of the same model.
    private void list(ModelSummary model) {
        unreadable.removeIf(entry -> entry.path.equals(model.path()));
        int index = known.stream().map(ModelSummary::path).toList().indexOf(model.path());
        if (index >= 0) known.set(index, model);
        else known.add(model);
        readDetails(List.of(model));
    }

    private void onOpened(ModelSummary model) {
        list(model);
        if (model.origin() == ModelSummary.Origin.EXTERNAL && !settings.get().otherModels().contains(model.path())) {
            settings.update(
                    now -> now.withModels(Stream.concat(now.otherModels().stream(), Stream.of(model.path())).toList()));
        }
        select(model);
    }

    /// Removes an unreadable model from the list.
    public void remove(UnreadableModel entry) {
        unreadable.remove(entry);
        remove(entry.path);
    }

    /// Removes a model from the list; its files are kept.
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

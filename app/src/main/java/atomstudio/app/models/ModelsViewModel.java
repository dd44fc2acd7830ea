package atomstudio.app.models;

import atomstudio.app.desktop.Choosers;
import atomstudio.app.desktop.Settings;
import atomstudio.app.desktop.SettingsStore;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.Outcome;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
    private final Choosers choosers;
    private final ObservableList<ModelSummary> known = FXCollections.observableArrayList();
    private final ObservableList<ModelSummary> knownView = FXCollections.unmodifiableObservableList(known);
    private final ReadOnlyObjectWrapper<@Nullable ModelSummary> current = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");

    public ModelsViewModel(Jobs jobs, ModelLibrary library, SettingsStore settings, Choosers choosers) {
        this.jobs = jobs;
        this.library = library;
        this.settings = settings;
        this.choosers = choosers;
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
        Settings remembered = settings.get();
        busy.set("Reading the models");
        jobs.start("Reading the models", cancellation -> read(remembered), this::loaded);
    }

    /// What was found, and what was not.
    private record Found(List<ModelSummary> models, List<String> problems) {}

    private Found read(Settings remembered) {
        List<ModelSummary> models = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        add(models, problems, library::embedded);
        for (Path folder : remembered.models()) add(models, problems, () -> library.open(folder));
        return new Found(models, problems);
    }

    private interface Reading {
        ModelSummary read() throws Exception;
    }

    private static void add(List<ModelSummary> models, List<String> problems, Reading reading) {
        try {
            models.add(reading.read());
        } catch (Exception e) {
            problems.add(e.getMessage());
        }
    }

    private void loaded(Outcome<Found> outcome) {
        busy.set("");
        switch (outcome) {
            case Outcome.Done<Found>(Found found) -> {
                known.setAll(found.models);
                problem.set(String.join("\n", found.problems));
                Optional<Path> last = settings.get().model();
                current.set(known.stream().filter(model -> last.isPresent() && model.folder().equals(last.get())).findFirst()
                    .orElse(known.isEmpty() ? null : known.getFirst()));
            }
            case Outcome.Failed<Found>(String message) -> problem.set(message);
            case Outcome.Cancelled<Found>() -> {}
        }
    }

    public void select(ModelSummary model) {
        current.set(model);
        problem.set("");
        settings.change(now -> now.withModel(model.origin() == ModelSummary.Origin.EMBEDDED ? Optional.empty() : Optional.of(model.folder())));
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
        jobs.start("Reading " + place, cancellation -> library.open(place), outcome -> {
            busy.set("");
            switch (outcome) {
                case Outcome.Done<ModelSummary>(ModelSummary model) -> opened(model);
                case Outcome.Failed<ModelSummary>(String message) -> problem.set(message);
                case Outcome.Cancelled<ModelSummary>() -> {}
            }
        });
    }

    private void opened(ModelSummary model) {
        if (known.stream().noneMatch(other -> other.folder().equals(model.folder()))) {
            known.add(model);
            settings.change(now -> now.withModels(known.stream()
                .filter(other -> other.origin() == ModelSummary.Origin.FOLDER).map(ModelSummary::folder).toList()));
        }
        select(model);
    }

    /// Takes a folder off the list; its files stay.
    public void forget(ModelSummary model) {
        if (model.origin() == ModelSummary.Origin.EMBEDDED) return;
        known.remove(model);
        settings.change(now -> now.withModels(now.models().stream().filter(path -> !path.equals(model.folder())).toList()));
        if (model.equals(current.get()) && !known.isEmpty()) select(known.getFirst());
    }
}

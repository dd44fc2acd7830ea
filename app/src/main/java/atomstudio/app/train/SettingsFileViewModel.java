package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.JobOutcome;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.tuning.config.ChosenSettings;
import atomstudio.tuning.config.ConfigFile;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.method.MethodSettings;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;

/// Training settings in a TOML file.
public final class SettingsFileViewModel {
    private final TrainViewModel.TrainServices services;
    private final MethodViewModel method;
    private final TrainingSettingsViewModel training;
    private final Supplier<TrainingConfig> config;
    private final ReadOnlyStringWrapper note = new ReadOnlyStringWrapper("");

    SettingsFileViewModel(TrainViewModel.TrainServices services, MethodViewModel method,
            TrainingSettingsViewModel training, Supplier<TrainingConfig> config) {
        this.services = services;
        this.method = method;
        this.training = training;
        this.config = config;
    }

    /// The result of opening or saving settings; empty: nothing to report.
    public ReadOnlyStringProperty note() {
        return note.getReadOnlyProperty();
    }

    /// Lets the user open a TOML file of training settings; method, preset and settings of the form become the file's.
    public void open() {
        services.choosers()
                .settings(text("train.open-training-settings"))
                .ifPresent(file -> services.jobs()
                        .start(
                                text("train.reading", file), cancellation -> ConfigFile.read(file),
                                outcome -> note.set(switch (outcome) {
                                    case JobOutcome.Succeeded<ConfigFile>(ConfigFile read) -> show(read);
                                    case JobOutcome.Failed<ConfigFile>(String message) -> message;
                                    case JobOutcome.Cancelled<ConfigFile>() -> "";
                                })));
    }

    private String show(ConfigFile file) {
        ChosenSettings chosen = file.settings();
        method.replace(chosen.method().orElse(method.settings().get().choice()), chosen);
        training.replace(chosen);
        return String.join(" ", file.notes());
    }

    /// Lets the user save the form's settings as a TOML file.
    public void save() {
        MethodSettings settings = method.settings().get();
        services.choosers()
                .saveFile(text("train.save-training-settings"), settings.name() + ".toml")
                .ifPresent(file -> {
                    String text = ConfigFile.text(settings, config.get(), Optional.empty());
                    services.jobs().start(text("train.saving", file), cancellation -> {
                        AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
                        return file;
                    }, outcome -> note.set(switch (outcome) {
                        case JobOutcome.Succeeded<Path>(Path saved) -> text("train.saved-to", saved);
                        case JobOutcome.Failed<Path>(String message) -> message;
                        case JobOutcome.Cancelled<Path>() -> "";
                    }));
                });
    }

    void clearNote() {
        note.set("");
    }
}

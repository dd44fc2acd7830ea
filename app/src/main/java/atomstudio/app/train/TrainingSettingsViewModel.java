package atomstudio.app.train;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.process.RunSpec;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodSettings;
import java.util.EnumMap;
import java.util.Map;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;

/// How the method is trained: what was typed, and what it means.
public final class TrainingSettingsViewModel {
    private final FileChoosers choosers;
    private final ReadOnlyObjectProperty<MethodSettings> method;
    private final Map<TrainingSetting, String> typedValues = new EnumMap<>(TrainingSetting.class);
    private final ReadOnlyObjectWrapper<TrainingSettings> settings = new ReadOnlyObjectWrapper<>(
            TrainingSettings.DEFAULTS);
    private final ReadOnlyStringWrapper invalidMessage = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper summary = new ReadOnlyStringWrapper("");

    public TrainingSettingsViewModel(FileChoosers choosers, ReadOnlyObjectProperty<MethodSettings> method) {
        this.choosers = choosers;
        this.method = method;
        method.subscribe(now -> parse());
    }

    public ReadOnlyObjectProperty<MethodSettings> method() {
        return method;
    }

    /// What is chosen, as far as it was understood.
    public ReadOnlyObjectProperty<TrainingSettings> settings() {
        return settings.getReadOnlyProperty();
    }

    /// What is typed and cannot be, in the words of the command line; empty when all is well.
    public ReadOnlyStringProperty invalidMessage() {
        return invalidMessage.getReadOnlyProperty();
    }

    /// What is not as usual: `steps 50 · flip`; empty where all is.
    public ReadOnlyStringProperty summary() {
        return summary.getReadOnlyProperty();
    }

    /// What is typed; empty: as usual.
    public String text(TrainingSetting setting) {
        return typedValues.getOrDefault(setting, "");
    }

    /// What a setting is while nothing is typed; empty where the model decides.
    public String defaultValue(TrainingSetting setting) {
        return settings.get().defaultValue(setting, method.get());
    }

    public void setText(TrainingSetting setting, String text) {
        if (text.strip().equals(text(setting))) return;
        typedValues.put(setting, text.strip());
        parse();
    }

    /// Asks for a folder with pictures of other members of the class.
    public void chooseClassImages() {
        choosers.folder("Pictures of other members of the class")
                .ifPresent(folder -> setText(TrainingSetting.CLASS_IMAGES, folder.toString()));
    }

    private void parse() {
        try {
            TrainingSettings parsed = new TrainingSettings(typedValues);
            // What is typed as it is anyway is not worth a word.
            TrainingSettings effective = TrainingSettings.of(parsed.toConfig(method.get()), method.get());
            invalidMessage.set("");
            settings.set(parsed);
            summary.set(String.join(" · ", RunSpec.TrainingChoices.summaries(effective)));
        } catch (IllegalArgumentException invalid) {
            invalidMessage.set(String.valueOf(invalid.getMessage()));
        }
    }
}

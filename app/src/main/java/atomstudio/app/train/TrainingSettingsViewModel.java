package atomstudio.app.train;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.process.RunSpec;
import atomstudio.app.text.Texts;
import atomstudio.tuning.config.ChosenSettings;
import atomstudio.tuning.config.Preset;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.beans.value.ObservableValue;

/// The training settings: entered text and the settings parsed from it.
public final class TrainingSettingsViewModel {
    private final FileChoosers choosers;
    private final ReadOnlyObjectProperty<MethodSettings> method;
    private final ObservableValue<ModelSize> size;
    private final Map<TrainingSetting, String> typedValues = new EnumMap<>(TrainingSetting.class);
    private final ReadOnlyObjectWrapper<Optional<Preset>> preset = new ReadOnlyObjectWrapper<>(Optional.empty());
    private final ReadOnlyObjectWrapper<TrainingSettings> settings = new ReadOnlyObjectWrapper<>(
            TrainingSettings.DEFAULTS);
    private final ReadOnlyStringWrapper invalidMessage = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper summary = new ReadOnlyStringWrapper("");

    /// @param size of the model that is trained
    public TrainingSettingsViewModel(FileChoosers choosers, ReadOnlyObjectProperty<MethodSettings> method,
            ObservableValue<ModelSize> size) {
        this.choosers = choosers;
        this.method = method;
        this.size = size;
        method.subscribe(now -> parse());
        size.subscribe(now -> parse());
    }

    public ReadOnlyObjectProperty<MethodSettings> method() {
        return method;
    }

    public ReadOnlyObjectProperty<Optional<Preset>> preset() {
        return preset.getReadOnlyProperty();
    }

    /// Entered values win over the preset's.
    public void choosePreset(Optional<Preset> chosen) {
        preset.set(chosen);
        parse();
    }

    /// Replaces preset and entered text.
    void replace(ChosenSettings chosen) {
        typedValues.clear();
        for (TrainingSetting setting : TrainingSetting.values())
            if (chosen.values().containsKey(setting)) typedValues.put(setting, chosen.values().get(setting));
        choosePreset(chosen.preset());
    }

    /// The last valid settings, the preset's included.
    public ReadOnlyObjectProperty<TrainingSettings> settings() {
        return settings.getReadOnlyProperty();
    }

    /// Why the entered text is invalid; starts with the setting's option name. Empty if valid.
    public ReadOnlyStringProperty invalidMessage() {
        return invalidMessage.getReadOnlyProperty();
    }

    /// The settings that differ from their defaults: `Steps 50 · Horizontal flip`.
    public ReadOnlyStringProperty summary() {
        return summary.getReadOnlyProperty();
    }

    /// The entered text; empty: the default.
    public String text(TrainingSetting setting) {
        return typedValues.getOrDefault(setting, "");
    }

    /// The value used while nothing is entered: the preset's, or the default; empty if it depends on the model.
    public String defaultValue(TrainingSetting setting) {
        String ofPreset = presetValues().get(setting);
        return ofPreset == null ? settings.get().defaultValue(setting, method.get(), size.getValue()) : ofPreset;
    }

    private Map<TrainingSetting, String> presetValues() {
        return preset.get().map(chosen -> chosen.values(method.get(), size.getValue())).orElse(Map.of());
    }

    public void setText(TrainingSetting setting, String text) {
        if (text.strip().equals(text(setting))) return;
        typedValues.put(setting, text.strip());
        parse();
    }

    /// Lets the user choose a folder of class images.
    public void chooseClassImages() {
        choosers.folder(Texts.text("train.class-images.folder.help"))
                .ifPresent(folder -> setText(TrainingSetting.CLASS_IMAGES, folder.toString()));
    }

    private void parse() {
        try {
            Map<TrainingSetting, String> chosen = new EnumMap<>(TrainingSetting.class);
            chosen.putAll(presetValues());
            typedValues.forEach((setting, text) -> {
                if (!text.isEmpty()) chosen.put(setting, text);
            });
            TrainingSettings parsed = new TrainingSettings(chosen);
            // Leaves out values that equal the defaults.
            TrainingSettings effective = TrainingSettings.of(parsed.toConfig(method.get(), size.getValue()),
                    method.get(), size.getValue());
            invalidMessage.set("");
            settings.set(parsed);
            summary.set(new RunSpec.TrainingChoices(MethodSettings.of(method.get().choice()), effective).summary());
        } catch (IllegalArgumentException invalid) {
            invalidMessage.set(String.valueOf(invalid.getMessage()));
        }
    }
}

package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.tuning.config.Preset;
import java.util.Optional;
import java.util.stream.Stream;
import javafx.scene.control.ChoiceBox;
import javafx.scene.control.Tooltip;
import javafx.util.StringConverter;

/// The preset of the training settings.
final class PresetView {
    private PresetView() {}

    static ChoiceBox<Optional<Preset>> presets(TrainingSettingsViewModel model) {
        ChoiceBox<Optional<Preset>> box = new ChoiceBox<>();
        box.setId("preset");
        box.getItems().add(Optional.empty());
        Stream.of(Preset.values()).map(Optional::of).forEach(box.getItems()::add);
        box.setConverter(new StringConverter<>() {
            @Override
            public String toString(Optional<Preset> preset) {
                return preset == null ? "" : preset.map(Preset::title).orElse(text("train.preset.none"));
            }

            @Override
            public Optional<Preset> fromString(String shown) {
                return Stream.of(Preset.values()).filter(preset -> preset.title().equals(shown)).findFirst();
            }
        });
        box.setAccessibleText(text("train.preset", Preset.descriptions()));
        Tooltip tooltip = new Tooltip(Preset.descriptions().replace("; ", "\n"));
        box.setTooltip(tooltip);
        box.valueProperty().addListener((property, before, now) -> {
            if (now != null) model.choosePreset(now);
        });
        model.preset().subscribe(box::setValue);
        return box;
    }
}

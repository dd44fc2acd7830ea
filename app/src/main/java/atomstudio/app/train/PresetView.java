package atomstudio.app.train;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.tuning.config.Preset;
import java.util.Optional;
import java.util.stream.Stream;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.ChoiceBox;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.util.StringConverter;

/// The preset of the training settings, and buttons to open and save them as a file.
final class PresetView extends HBox {
    PresetView(TrainViewModel model) {
        super(6);
        setAlignment(Pos.CENTER_LEFT);
        ChoiceBox<Optional<Preset>> presets = presets(model.training());
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        getChildren().addAll(presets, gap,
                button("Open…", "open-settings", "Open training settings (TOML, also kohya's)", model::openSettings),
                button("Save…", "save-settings", "Save the training settings as TOML", model::saveSettings));
    }

    private static ChoiceBox<Optional<Preset>> presets(TrainingSettingsViewModel model) {
        ChoiceBox<Optional<Preset>> box = new ChoiceBox<>();
        box.setId("preset");
        box.getItems().add(Optional.empty());
        Stream.of(Preset.values()).map(Optional::of).forEach(box.getItems()::add);
        box.setConverter(new StringConverter<>() {
            @Override
            public String toString(Optional<Preset> preset) {
                return preset == null ? "" : preset.map(Preset::title).orElse("No preset");
            }

            @Override
            public Optional<Preset> fromString(String shown) {
                return Stream.of(Preset.values()).filter(preset -> preset.title().equals(shown)).findFirst();
            }
        });
        box.setAccessibleText("Preset: " + Preset.descriptions());
        Tooltip tooltip = new Tooltip(Preset.descriptions().replace("; ", "\n"));
        box.setTooltip(tooltip);
        box.valueProperty().addListener((property, before, now) -> {
            if (now != null) model.choosePreset(now);
        });
        model.preset().subscribe(box::setValue);
        return box;
    }

    private static Button button(String text, String id, String description, Runnable action) {
        Button button = new ActionButtonView(text, action, "small").withId(id);
        button.setMinWidth(USE_PREF_SIZE);
        button.setAccessibleText(description);
        button.setTooltip(new Tooltip(description));
        return button;
    }
}

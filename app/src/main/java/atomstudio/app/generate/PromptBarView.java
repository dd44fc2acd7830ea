package atomstudio.app.generate;

import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.NumberFieldView;
import atomstudio.diffusion.engine.WeightedAdapter;
import javafx.beans.value.ObservableValue;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ProgressBar;
import javafx.scene.control.Slider;
import javafx.scene.control.ToggleButton;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// The prompt, Generate, and below them the settings: one line while folded, with the strength always at hand.
public final class PromptBarView extends VBox {
    /// What the slider reaches; the field beside it takes more, either way.
    private static final double SLIDER_MAX = 2;

    private final Button generate = new Button("Generate");
    private final Button cancel = new Button("Cancel");

    /// @param accented whether Generate is the page's accented button
    public PromptBarView(GenerateViewModel model, ObservableValue<Boolean> accented) {
        super(8);
        getStyleClass().add("prompt-bar");
        PromptFieldView field = new PromptFieldView(model);
        HBox.setHgrow(field, Priority.ALWAYS);
        // The two buttons stand in one place, and so does the keyboard.
        model.busy().addListener((property, before, now) -> {
            if (generate.isFocused() && !now.isEmpty()) cancel.requestFocus();
            if (cancel.isFocused() && now.isEmpty()) generate.requestFocus();
        });
        HBox line = new HBox(8, field, generateButton(model, accented), cancelButton(model));
        line.setAlignment(Pos.CENTER_LEFT);
        ImageSettingsView settings = new ImageSettingsView(model);
        ProgressBar progress = new ProgressBar();
        progress.getStyleClass().add("generate-progress");
        progress.setMaxWidth(Double.MAX_VALUE);
        progress.progressProperty().bind(model.fraction());
        progress.visibleProperty().bind(model.busy().isNotEmpty());
        progress.managedProperty().bind(progress.visibleProperty());
        getChildren().addAll(line, progress, settingsToggle(model, settings), settings,
                new NoteView(NoteView.NoteKind.WARNING, model.source().missingSource()),
                new NoteView(NoteView.NoteKind.ERROR, model.problem()));
    }

    /// Puts the keyboard on Generate.
    public void focusGenerate() {
        generate.requestFocus();
    }

    private Button generateButton(GenerateViewModel model, ObservableValue<Boolean> accented) {
        generate.setId("generate");
        generate.setMinWidth(Region.USE_PREF_SIZE);
        accented.subscribe(now -> {
            generate.getStyleClass().remove("accent");
            if (now) generate.getStyleClass().add("accent");
        });
        generate.setOnAction(pressed -> model.generate());
        generate.visibleProperty().bind(model.busy().isEmpty());
        generate.managedProperty().bind(generate.visibleProperty());
        return generate;
    }

    private Button cancelButton(GenerateViewModel model) {
        cancel.setId("cancel-generate");
        cancel.setMinWidth(Region.USE_PREF_SIZE);
        cancel.setOnAction(pressed -> model.cancel());
        cancel.visibleProperty().bind(model.busy().isNotEmpty());
        cancel.managedProperty().bind(cancel.visibleProperty());
        return cancel;
    }

    private static HBox settingsToggle(GenerateViewModel model, ImageSettingsView settings) {
        ToggleButton fold = new ToggleButton();
        fold.setId("picture-settings");
        fold.getStyleClass().addAll("flat", "fold");
        fold.setMaxWidth(Double.MAX_VALUE);
        fold.setAlignment(Pos.CENTER_LEFT);
        fold.textProperty()
                .bind(fold.selectedProperty()
                        .flatMap(open -> model.settings().map(now -> (open ? "▾ " : "▸ ") + now.summary())));
        HBox.setHgrow(fold, Priority.ALWAYS);
        settings.visibleProperty().bind(fold.selectedProperty());
        settings.managedProperty().bind(fold.selectedProperty());
        HBox line = new HBox(8, fold);
        line.setAlignment(Pos.CENTER_LEFT);
        if (model.subject().get() != null) line.getChildren().addAll(weightControls(model));
        return line;
    }

    private static Node[] weightControls(GenerateViewModel model) {
        Label label = new Label("strength");
        label.getStyleClass().add("muted");
        label.setMinWidth(Region.USE_PREF_SIZE);
        NumberFieldView numberField = new NumberFieldView(
                new NumberFieldView.NumberRange(-WeightedAdapter.MAX_WEIGHT, WeightedAdapter.MAX_WEIGHT, 0.1),
                ImageSettings::number,
                value -> model.settings(model.settings().get().withAdapterWeight(value)));
        numberField.setId("strength-number");
        numberField.setAccessibleText("Strength of the adapters, −10 to 10");
        model.settings().subscribe(now -> numberField.showValue(now.adapterWeight()));
        Slider slider = new Slider(0, SLIDER_MAX, model.settings().get().adapterWeight());
        slider.setId("strength");
        slider.setAccessibleText("Strength of the adapters");
        slider.setBlockIncrement(0.1);
        slider.setPrefWidth(110);
        slider.setMinWidth(70);
        slider.valueProperty().addListener((property, before, now) -> {
            double rounded = Math.round(now.doubleValue() * 10) / 10.0;
            if (rounded != model.settings().get().adapterWeight())
                model.settings(model.settings().get().withAdapterWeight(rounded));
        });
        return new Node[] {label, slider, numberField};
    }
}

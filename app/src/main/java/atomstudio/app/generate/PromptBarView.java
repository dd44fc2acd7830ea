package atomstudio.app.generate;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.ExpanderView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.ValueFieldView;
import atomstudio.app.pipeline.GenerationLimits;
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

/// The prompt with the Generate button, the adapter weight, and the collapsible image settings.
public final class PromptBarView extends VBox {
    /// Range of the slider; the field beside it allows the full range.
    private static final double SLIDER_MAX = 2;

    private final Button generate;
    private final Button cancel;

    /// @param accented whether Generate is the page's accented button
    public PromptBarView(GenerateViewModel model, ObservableValue<Boolean> accented) {
        super(8);
        generate = new ActionButtonView("Generate", model::generate).withId("generate");
        accented.subscribe(now -> {
            generate.getStyleClass().remove("accent");
            if (now) generate.getStyleClass().add("accent");
        });
        cancel = new ActionButtonView("Cancel", model::cancel).withId("cancel-generate");
        bindVisible(cancel, model.busy().isNotEmpty());
        // Generate stays: further images wait in the queue.
        generate.textProperty().bind(model.busy().map(busy -> busy.isEmpty() ? "Generate" : "Add to queue"));
        model.busy().addListener((property, before, now) -> {
            if (cancel.isFocused() && now.isEmpty()) generate.requestFocus();
        });
        PromptFieldView field = new PromptFieldView(model);
        HBox.setHgrow(field, Priority.ALWAYS);
        // Cancel appears on the left: a second click on Generate must not cancel.
        HBox line = new HBox(8, field, cancel, generate);
        line.setAlignment(Pos.CENTER_LEFT);
        ProgressBar progress = new ProgressBar();
        progress.getStyleClass().add("generate-progress");
        progress.setMaxWidth(Double.MAX_VALUE);
        progress.progressProperty().bind(model.fraction());
        bindVisible(progress, model.busy().isNotEmpty());
        ImageSettingsView settings = new ImageSettingsView(model);
        ToggleButton expander = new ExpanderView("image-settings", "Settings",
                model.settings().map(ImageSettings::summary), settings);
        expander.setWrapText(false);
        expander.setMinWidth(0);
        HBox.setHgrow(expander, Priority.ALWAYS);
        HBox settingsLine = new HBox(8, expander);
        settingsLine.setAlignment(Pos.CENTER_LEFT);
        if (model.subject().get() != null) settingsLine.getChildren().addAll(weightControls(model));
        getChildren().addAll(line, progress, settingsLine, settings,
                new NoteView(NoteView.NoteKind.WARNING, model.source().missingSource()),
                new NoteView(NoteView.NoteKind.ERROR, model.problem()));
    }

    private static void bindVisible(Node node, ObservableValue<Boolean> visible) {
        node.visibleProperty().bind(visible);
        node.managedProperty().bind(node.visibleProperty());
    }

    public void focusGenerate() {
        generate.requestFocus();
    }

    private static Node[] weightControls(GenerateViewModel model) {
        Label label = new Label("Adapter weight");
        label.getStyleClass().add("muted");
        label.setMinWidth(Region.USE_PREF_SIZE);
        ValueFieldView<Double> numberField = ValueFieldView.ofNumber(
                new ValueFieldView.NumberRange(GenerationLimits.ADAPTER_WEIGHT, 0.1),
                ImageSettings::number, value -> model.updateSettings(now -> now.withAdapterWeight(value)));
        numberField.setId("adapter-weight-field");
        numberField.setPrefColumnCount(3);
        numberField.setMinWidth(Region.USE_PREF_SIZE);
        numberField.setAccessibleText("Adapter weight, −10 to 10");
        model.settings().subscribe(now -> numberField.showValue(now.adapterWeight()));
        Slider slider = new Slider(0, SLIDER_MAX, model.settings().get().adapterWeight());
        slider.setId("adapter-weight");
        slider.setAccessibleText("Adapter weight");
        slider.setBlockIncrement(0.1);
        slider.setPrefWidth(110);
        slider.setMinWidth(70);
        slider.valueProperty().addListener((property, before, now) -> {
            double rounded = Math.round(now.doubleValue() * 10) / 10.0;
            model.updateSettings(current -> current.withAdapterWeight(rounded));
        });
        return new Node[] {label, slider, numberField};
    }
}

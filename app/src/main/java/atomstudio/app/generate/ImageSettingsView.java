package atomstudio.app.generate;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.ValueFieldView;
import atomstudio.app.generate.ImageSettings.OutputSize;
import atomstudio.app.generate.ImageSettings.Seeds;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.pipeline.GenerationLimits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleConsumer;
import java.util.function.DoubleFunction;
import java.util.random.RandomGenerator;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.TextField;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;

/// Controls for the image settings: seeds, size, negative prompt, sampling, image to image, adapters.
final class ImageSettingsView extends VBox {
    static final DoubleFunction<String> INTEGER = value -> String.valueOf((long) value);

    ImageSettingsView(GenerateViewModel model) {
        super(6);
        getStyleClass().add("image-settings");
        getChildren().addAll(new BasicSettingsView(model), new SamplingView(model), new SourceView(model));
        if (model.subject().get() == null) getChildren().add(new AdaptersView(model));
    }

    /// Seeds, number of images, size and negative prompt.
    private static final class BasicSettingsView extends FlowPane {
        BasicSettingsView(GenerateViewModel model) {
            super(6, 6);
            ValueFieldView<Long> firstSeed = ValueFieldView.ofSeed(
                    value -> model.updateSettings(now -> now.withSeeds(new Seeds(value, now.seeds().count()))));
            ValueFieldView<Double> count = ValueFieldView.ofNumber(
                    new ValueFieldView.NumberRange(1, ImageSettings.MAX_SEEDS, 1), INTEGER,
                    value -> model.updateSettings(now -> now.withSeeds(new Seeds(now.seeds().first(), (int) value))));
            count.setPrefColumnCount(2);
            ValueFieldView<Double> width = sideField(value -> model
                    .updateSettings(now -> now.withSize(new OutputSize((int) value, now.size().height()))));
            ValueFieldView<Double> height = sideField(value -> model
                    .updateSettings(now -> now.withSize(new OutputSize(now.size().width(), (int) value))));
            TextField negativePrompt = new TextField();
            negativePrompt.setId("negative-prompt");
            negativePrompt.setPromptText("things to avoid");
            negativePrompt.setPrefColumnCount(22);
            negativePrompt.textProperty()
                    .addListener((property, before, text) -> model
                            .updateSettings(now -> now.withNegativePrompt(text)));
            model.settings().subscribe(now -> {
                firstSeed.showValue(now.seeds().first());
                count.showValue((double) now.seeds().count());
                width.showValue((double) now.size().width());
                height.showValue((double) now.size().height());
                if (!negativePrompt.getText().equals(now.negativePrompt()))
                    negativePrompt.setText(now.negativePrompt());
            });
            Button randomize = new ActionButtonView("Randomize",
                    () -> model.randomizeSeeds(RandomGenerator.getDefault()), "small");
            randomize.setTooltip(new Tooltip("New seeds, the same for every row"));
            getChildren().addAll(new LabeledFieldView("Seed", firstSeed), randomize,
                    new LabeledFieldView("Images", count),
                    new LabeledFieldView("Size", sizeFields(width, height)),
                    new LabeledFieldView("Negative prompt", negativePrompt));
        }

        private static HBox sizeFields(Node width, Node height) {
            HBox fields = new HBox(width, new Label("×"), height);
            fields.setAlignment(Pos.CENTER_LEFT);
            return fields;
        }

        private static ValueFieldView<Double> sideField(DoubleConsumer onChange) {
            return ValueFieldView.ofNumber(new ValueFieldView.NumberRange(GenerationLimits.SIDE,
                    ImageSettings.SIDE_MULTIPLE), INTEGER, onChange);
        }
    }

    /// The adapters added to all rows, each with its weight.
    private static final class AdaptersView extends FlowPane {
        private final GenerateViewModel model;
        private List<Path> shown = List.of();

        AdaptersView(GenerateViewModel model) {
            super(6, 6);
            this.model = model;
            refresh();
            model.settings().subscribe(now -> {
                if (!files(now).equals(shown)) refresh();
            });
        }

        private static List<Path> files(ImageSettings settings) {
            return settings.adapters().stream().map(SelectedAdapter::file).toList();
        }

        private void refresh() {
            shown = files(model.settings().get());
            List<Node> nodes = new ArrayList<>(model.settings().get().adapters().stream().map(this::field).toList());
            Button add = new ActionButtonView("Add adapter…", model.adapters()::chooseFiles, "small")
                    .withId("add-adapter");
            add.setTooltip(new Tooltip("Adapters of runs, exported adapters, LoRA, embeddings, or PNG images with "
                    + "embedded adapters"));
            nodes.add(add);
            getChildren().setAll(nodes);
        }

        private Node field(SelectedAdapter adapter) {
            Label label = new Label(adapter.name());
            label.setTooltip(new Tooltip(adapter.file().toString()));
            label.setMaxWidth(180);
            ValueFieldView<Double> weightField = ValueFieldView.ofNumber(
                    new ValueFieldView.NumberRange(GenerationLimits.ADAPTER_WEIGHT, 0.1),
                    ImageSettings::number, value -> model.adapters().setWeight(adapter.file(), value));
            weightField.setPrefColumnCount(3);
            weightField.setAccessibleText("Weight of " + label.getText());
            weightField.showValue(adapter.weight());
            Button removeButton = new ActionButtonView("×", () -> model.adapters().remove(adapter.file()), "flat",
                    "small");
            removeButton.setAccessibleText("Remove " + label.getText());
            HBox field = new HBox(4, label, weightField, removeButton);
            field.setAlignment(Pos.CENTER_LEFT);
            field.getStyleClass().add("field");
            return field;
        }
    }
}

package atomstudio.app.generate;

import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.NumberFieldView;
import atomstudio.app.generate.ImageSettings.OutputSize;
import atomstudio.app.generate.ImageSettings.Seeds;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.diffusion.engine.WeightedAdapter;
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

/// Everything that decides pictures beside the prompt: seeds, size and negative prompt, the way of sampling, what
/// they start from, adapters.
public final class ImageSettingsView extends VBox {
    static final DoubleFunction<String> INTEGER = value -> String.valueOf((long) value);

    private final GenerateViewModel model;

    public ImageSettingsView(GenerateViewModel model) {
        super(6);
        this.model = model;
        getStyleClass().add("picture-settings");
        getChildren().addAll(seedFields(), new SamplingView(model), new SourceView(model));
        if (model.subject().get() == null) getChildren().add(new AdaptersView(model));
    }

    private FlowPane seedFields() {
        SeedFieldView firstSeed = new SeedFieldView(
                value -> update(current().withSeeds(new Seeds(value, current().seeds().count()))));
        NumberFieldView count = new NumberFieldView(new NumberFieldView.NumberRange(1, ImageSettings.MAX_SEEDS, 1),
                INTEGER, value -> update(current().withSeeds(new Seeds(current().seeds().first(), (int) value))));
        count.setPrefColumnCount(2);
        NumberFieldView width = sideField(
                value -> update(current().withSize(new OutputSize((int) value, current().size().height()))));
        NumberFieldView height = sideField(
                value -> update(current().withSize(new OutputSize(current().size().width(), (int) value))));
        TextField negativePrompt = new TextField();
        negativePrompt.setId("negative");
        negativePrompt.setPromptText("what should not be in it");
        negativePrompt.setPrefColumnCount(22);
        negativePrompt.textProperty().addListener((property, before, now) -> update(current().withNegativePrompt(now)));
        model.settings().subscribe(now -> {
            firstSeed.showSeed(now.seeds().first());
            count.showValue(now.seeds().count());
            width.showValue(now.size().width());
            height.showValue(now.size().height());
            if (!negativePrompt.getText().equals(now.negativePrompt())) negativePrompt.setText(now.negativePrompt());
        });
        Button randomize = new Button("other seeds");
        randomize.getStyleClass().add("small");
        randomize.setTooltip(new Tooltip("Draws new seeds: the same new noise in every row"));
        randomize.setOnAction(pressed -> model.randomizeSeeds(RandomGenerator.getDefault()));
        return new FlowPane(6, 6, new LabeledFieldView("first seed", firstSeed),
                new LabeledFieldView("pictures", count), randomize,
                new LabeledFieldView("size", new HBox(4, width, height)),
                new LabeledFieldView("negative", negativePrompt));
    }

    private static NumberFieldView sideField(DoubleConsumer onChange) {
        NumberFieldView side = new NumberFieldView(new NumberFieldView.NumberRange(ImageSettings.SIDE_MULTIPLE,
                ImageSettings.MAX_SIDE, ImageSettings.SIDE_MULTIPLE), INTEGER, onChange);
        side.setPrefColumnCount(4);
        return side;
    }

    private ImageSettings current() {
        return model.settings().get();
    }

    private void update(ImageSettings changed) {
        if (!changed.equals(current())) model.settings(changed);
    }

    /// The adapters that all rows wear, each with its strength.
    static final class AdaptersView extends FlowPane {
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
            Button add = new Button("+ adapter…");
            add.setId("add-adapter");
            add.getStyleClass().add("small");
            add.setTooltip(new Tooltip("Adapters of runs, exported ones, embeddings, or pictures that carry theirs"));
            add.setOnAction(pressed -> model.source().chooseAdapters());
            nodes.add(add);
            getChildren().setAll(nodes);
        }

        private Node field(SelectedAdapter adapter) {
            Label label = new Label(adapter.name());
            label.setTooltip(new Tooltip(adapter.file().toString()));
            label.setMaxWidth(180);
            NumberFieldView weightField = new NumberFieldView(
                    new NumberFieldView.NumberRange(-WeightedAdapter.MAX_WEIGHT, WeightedAdapter.MAX_WEIGHT, 0.1),
                    ImageSettings::number, value -> model.source().setAdapterWeight(adapter.file(), value));
            weightField.setPrefColumnCount(3);
            weightField.setAccessibleText("Strength of " + label.getText());
            weightField.showValue(adapter.weight());
            Button removeButton = new Button("×");
            removeButton.getStyleClass().addAll("flat", "small");
            removeButton.setAccessibleText("Take off " + label.getText());
            removeButton.setOnAction(pressed -> model.source().removeAdapter(adapter.file()));
            HBox field = new HBox(4, label, weightField, removeButton);
            field.setAlignment(Pos.CENTER_LEFT);
            field.getStyleClass().add("field");
            return field;
        }
    }
}

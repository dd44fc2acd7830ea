package atomstudio.app.generate;

import atomstudio.app.generate.ImageSettings.OutputSize;
import atomstudio.app.generate.ImageSettings.Seeds;
import atomstudio.app.parts.LabeledFieldView;
import atomstudio.app.parts.NumberFieldView;
import java.util.function.DoubleConsumer;
import java.util.function.DoubleFunction;
import java.util.random.RandomGenerator;
import javafx.scene.control.Button;
import javafx.scene.control.TextField;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;

/// Everything that decides pictures beside the prompt: seeds, size and negative prompt, the way of sampling, what they start from, adapters.
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
        SeedFieldView firstSeed = new SeedFieldView(value -> update(current().withSeeds(new Seeds(value, current().seeds().count()))));
        NumberFieldView count = new NumberFieldView(new NumberFieldView.NumberRange(1, ImageSettings.MAX_SEEDS, 1), INTEGER, value -> update(current().withSeeds(new Seeds(current().seeds().first(), (int) value))));
        count.setPrefColumnCount(2);
        NumberFieldView width = sideField(value -> update(current().withSize(new OutputSize((int) value, current().size().height()))));
        NumberFieldView height = sideField(value -> update(current().withSize(new OutputSize(current().size().width(), (int) value))));
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
        return new FlowPane(6, 6, new LabeledFieldView("first seed", firstSeed), new LabeledFieldView("pictures", count), randomize, new LabeledFieldView("size", new HBox(4, width, height)), new LabeledFieldView("negative", negativePrompt));
    }

    private static NumberFieldView sideField(DoubleConsumer onChange) {
        NumberFieldView side = new NumberFieldView(new NumberFieldView.NumberRange(ImageSettings.SIDE_MULTIPLE, ImageSettings.MAX_SIDE, ImageSettings.SIDE_MULTIPLE), INTEGER, onChange);
        side.setPrefColumnCount(4);
        return side;
    }

    private ImageSettings current() {
        return model.settings().get();
    }

    private void update(ImageSettings changed) {
        if (!changed.equals(current())) model.settings(changed);
    }
}

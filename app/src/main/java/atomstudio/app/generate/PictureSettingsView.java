package atomstudio.app.generate;

import atomstudio.app.generate.PictureSettings.Seeds;
import atomstudio.app.generate.PictureSettings.Size;
import atomstudio.app.generate.PictureSettings.Way;
import atomstudio.app.parts.FieldView;
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
public final class PictureSettingsView extends VBox {
    static final DoubleFunction<String> WHOLE = value -> String.valueOf((long) value);

    private final GenerateViewModel model;

    public PictureSettingsView(GenerateViewModel model) {
        super(6);
        this.model = model;
        getStyleClass().add("picture-settings");
        getChildren().addAll(seeds(), new WayView(model), new SourceView(model));
        if (model.subject().get() == null) getChildren().add(new WornView(model));
    }

    private FlowPane seeds() {
        SeedFieldView first = new SeedFieldView(value -> set(now().withSeeds(new Seeds(value, now().seeds().count()))));
        NumberFieldView count = new NumberFieldView(new NumberFieldView.Range(1, PictureSettings.MOST_SEEDS, 1), WHOLE, value -> set(now().withSeeds(new Seeds(now().seeds().first(), (int) value))));
        count.setPrefColumnCount(2);
        NumberFieldView width = side(value -> set(now().withSize(new Size((int) value, now().size().height()))));
        NumberFieldView height = side(value -> set(now().withSize(new Size(now().size().width(), (int) value))));
        TextField negative = new TextField();
        negative.setId("negative");
        negative.setPromptText("what should not be in it");
        negative.setPrefColumnCount(22);
        negative.textProperty().addListener((property, before, now) -> set(now().withNegative(now)));
        model.settings().subscribe(now -> {
            first.show(now.seeds().first());
            count.show(now.seeds().count());
            width.show(now.size().width());
            height.show(now.size().height());
            if (!negative.getText().equals(now.negative())) negative.setText(now.negative());
        });
        Button other = new Button("other seeds");
        other.getStyleClass().add("small");
        other.setTooltip(new Tooltip("Draws new seeds: the same new noise in every row"));
        other.setOnAction(pressed -> model.newSeeds(RandomGenerator.getDefault()));
        return new FlowPane(6, 6, new FieldView("first seed", first), new FieldView("pictures", count), other, new FieldView("size", new HBox(4, width, height)), new FieldView("negative", negative));
    }

    private static NumberFieldView side(DoubleConsumer onChange) {
        NumberFieldView side = new NumberFieldView(new NumberFieldView.Range(PictureSettings.SIDE, PictureSettings.MOST_SIDE, PictureSettings.SIDE), WHOLE, onChange);
        side.setPrefColumnCount(4);
        return side;
    }

    private PictureSettings now() {
        return model.settings().get();
    }

    private void set(PictureSettings changed) {
        if (!changed.equals(now())) model.settings(changed);
    }
}

package atomstudio.app.generate;

import atomstudio.app.parts.FieldView;
import atomstudio.app.parts.NumberFieldView;
import atomstudio.diffusion.sample.SamplerName;
import java.util.function.DoubleConsumer;
import java.util.function.DoubleFunction;
import java.util.random.RandomGenerator;
import javafx.scene.control.Button;
import javafx.scene.control.ChoiceBox;
import javafx.scene.control.TextField;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.util.StringConverter;

/// Seeds, sampler, steps, guidance, size and the negative prompt.
public final class PictureSettingsView extends FlowPane {
    private static final DoubleFunction<String> WHOLE = value -> String.valueOf((long) value);

    private final GenerateViewModel model;

    public PictureSettingsView(GenerateViewModel model) {
        super(6, 6);
        this.model = model;
        getStyleClass().add("picture-settings");
        NumberFieldView first = new NumberFieldView(new NumberFieldView.Range(0, 0xFFFF_FFFFL, 1), WHOLE, value -> set(now().withSeeds(new PictureSettings.Seeds((long) value, now().seeds().count()))));
        first.setPrefColumnCount(7);
        NumberFieldView count = new NumberFieldView(new NumberFieldView.Range(1, PictureSettings.MOST_SEEDS, 1), WHOLE, value -> set(now().withSeeds(new PictureSettings.Seeds(now().seeds().first(), (int) value))));
        count.setPrefColumnCount(2);
        NumberFieldView steps = new NumberFieldView(new NumberFieldView.Range(1, PictureSettings.MOST_STEPS, 1), WHOLE, value -> set(now().withSteps((int) value)));
        steps.setPrefColumnCount(3);
        NumberFieldView guidance = new NumberFieldView(new NumberFieldView.Range(0, 30, 0.5), PictureSettings::number, value -> set(now().withGuidance(value)));
        guidance.setPrefColumnCount(3);
        NumberFieldView width = side(value -> set(now().withSize(new PictureSettings.Size((int) value, now().size().height()))));
        NumberFieldView height = side(value -> set(now().withSize(new PictureSettings.Size(now().size().width(), (int) value))));
        model.settings().subscribe(now -> {
            first.show(now.seeds().first());
            count.show(now.seeds().count());
            steps.show(now.steps());
            guidance.show(now.guidance());
            width.show(now.size().width());
            height.show(now.size().height());
        });
        Button other = new Button("other seeds");
        other.getStyleClass().add("small");
        other.setTooltip(new Tooltip("Draws new seeds: the same new noise in every row"));
        other.setOnAction(pressed -> model.newSeeds(RandomGenerator.getDefault()));
        TextField negative = new TextField();
        negative.setId("negative");
        negative.setPromptText("what should not be in it");
        negative.setPrefColumnCount(22);
        negative.textProperty().addListener((property, before, now) -> set(now().withNegative(now)));
        getChildren().addAll(new FieldView("first seed", first), new FieldView("pictures", count), other, new FieldView("sampler", sampler()), new FieldView("steps", steps),
            new FieldView("guidance", guidance), new FieldView("size", new HBox(4, width, height)), new FieldView("negative", negative));
    }

    private static NumberFieldView side(DoubleConsumer onChange) {
        NumberFieldView side = new NumberFieldView(new NumberFieldView.Range(8, 2048, 8), WHOLE, onChange);
        side.setPrefColumnCount(4);
        return side;
    }

    private ChoiceBox<SamplerName> sampler() {
        ChoiceBox<SamplerName> sampler = new ChoiceBox<>();
        sampler.setId("sampler");
        sampler.getItems().setAll(SamplerName.values());
        sampler.setConverter(new StringConverter<>() {
            @Override public String toString(SamplerName name) {
                return name == null ? "" : PictureSettings.title(name);
            }

            @Override public SamplerName fromString(String text) {
                throw new UnsupportedOperationException("samplers are chosen, not typed");
            }
        });
        model.settings().subscribe(now -> sampler.setValue(now.sampler()));
        sampler.valueProperty().addListener((property, before, now) -> set(now().withSampler(now)));
        return sampler;
    }

    private PictureSettings now() {
        return model.settings().get();
    }

    private void set(PictureSettings changed) {
        if (!changed.equals(now())) model.settings(changed);
    }
}

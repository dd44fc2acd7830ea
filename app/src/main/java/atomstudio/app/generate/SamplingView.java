package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.TitleConverter;
import atomstudio.app.controls.ValueFieldView;
import atomstudio.app.controls.ValueFieldView.NumberRange;
import atomstudio.app.generate.ImageSettings.SamplerSettings;
import atomstudio.app.pipeline.GenerationLimits;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import javafx.scene.Node;
import javafx.scene.control.ChoiceBox;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;

/// Sampler, schedule and their parameters. Shows only what the selected sampler supports.
final class SamplingView extends FlowPane {
    private final GenerateViewModel model;
    private boolean updating;

    SamplingView(GenerateViewModel model) {
        super(6, 6);
        this.model = model;
        ChoiceBox<SamplerName> sampler = choice("sampler", SamplerName::title, name -> update(now -> now.with(name)));
        sampler.getItems().setAll(SamplerName.values());
        ChoiceBox<ScheduleName> schedule = choice("schedule", ScheduleName::title,
                name -> update(now -> now.with(name)));
        ValueFieldView<Double> steps = number(new NumberRange(GenerationLimits.STEPS, 1),
                GeneratePanelView.INTEGER, value -> update(now -> now.withSteps((int) value)));
        steps.setId("steps");
        ValueFieldView<Double> guidance = number(new NumberRange(GenerationLimits.GUIDANCE_SCALE, 0.5),
                ImageSettings::number,
                value -> update(now -> now.with(new Guidance(value, now.guidance().rescale()))));
        ValueFieldView<Double> rescale = number(new NumberRange(GenerationLimits.GUIDANCE_RESCALE, 0.05),
                ImageSettings::number,
                value -> update(now -> now.with(new Guidance(now.guidance().scale(), value))));
        ValueFieldView<Double> eta = number(new NumberRange(GenerationLimits.ETA, 0.05), ImageSettings::number,
                value -> update(now -> now.withEta(value)));
        ValueFieldView<Double> clipSkip = number(new NumberRange(model.defaults().getValue().clipSkips(), 1),
                GeneratePanelView.INTEGER, value -> update(now -> now.withClipSkip((int) value)));
        model.defaults().subscribe(now -> clipSkip.setRange(new NumberRange(now.clipSkips(), 1)));
        Node etaField = field(text("generate.eta"), text("generate.noise-added-per-step-eta"), eta);
        model.settings().map(ImageSettings::sampling).subscribe(now -> {
            updating = true;
            sampler.setValue(now.sampler());
            List<ScheduleName> schedules = List.copyOf(now.sampler().schedules());
            if (!schedule.getItems().equals(schedules)) schedule.getItems().setAll(schedules);
            schedule.setValue(now.schedule());
            updating = false;
            steps.showValue((double) now.steps());
            guidance.showValue(now.guidance().scale());
            rescale.showValue(now.guidance().rescale());
            eta.showValue(now.eta().orElse(now.sampler().defaultEta().orElse(0)));
            clipSkip.showValue((double) now.clipSkip());
            etaField.setVisible(now.sampler().defaultEta().isPresent());
            etaField.setManaged(etaField.isVisible());
        });
        getChildren().addAll(field(text("generate.sampler"), text("generate.sampling-algorithm"), sampler),
                field(text("generate.schedule"), text("generate.spacing-of-the-noise-levels-sigmas"),
                        schedule),
                new LabeledFieldView(text("generate.steps"), steps),
                field(text("generate.guidance"), text("generate.classifier-free-guidance-scale-cfg-1"), guidance),
                field(text("generate.rescale"), text("generate.reduces-over-saturation-from-guidance-for"), rescale),
                etaField,
                field(text("generate.clip-skip"), text("generate.text-encoder-layer-counted-from-the"), clipSkip));
    }

    private static Node field(String name, String description, Node control) {
        LabeledFieldView field = new LabeledFieldView(name, control);
        Tooltip.install(field, new Tooltip(description));
        return field;
    }

    private static ValueFieldView<Double> number(NumberRange range, DoubleFunction<String> format,
            DoubleConsumer onChange) {
        ValueFieldView<Double> number = ValueFieldView.ofNumber(range, format, onChange);
        number.setPrefColumnCount(3);
        return number;
    }

    private <T> ChoiceBox<T> choice(String id, Function<T, String> title, Consumer<T> setter) {
        ChoiceBox<T> box = new ChoiceBox<>();
        box.setId(id);
        box.setConverter(new TitleConverter<>(title));
        box.valueProperty().addListener((property, before, now) -> {
            if (!updating && now != null) setter.accept(now);
        });
        return box;
    }

    private void update(UnaryOperator<SamplerSettings> change) {
        model.updateSettings(now -> now.withSampling(change.apply(now.sampling())));
    }
}

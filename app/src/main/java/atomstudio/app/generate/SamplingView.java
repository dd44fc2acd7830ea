package atomstudio.app.generate;

import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.NumberFieldView;
import atomstudio.app.controls.TitleConverter;
import atomstudio.app.generate.ImageSettings.SamplerSettings;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleConsumer;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import javafx.scene.Node;
import javafx.scene.control.ChoiceBox;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;

/// Sampler, schedule and what goes with them. What a sampler does not take is not offered.
final class SamplingView extends FlowPane {
    private static final DoubleFunction<String> HUNDREDTHS = value -> String.format(Locale.ROOT, "%.2f", value);

    private final GenerateViewModel model;
    private boolean updating;

    SamplingView(GenerateViewModel model) {
        super(6, 6);
        this.model = model;
        ChoiceBox<SamplerName> sampler = choice("sampler", SamplerName::title, name -> update(current().with(name)));
        sampler.getItems().setAll(SamplerName.values());
        ChoiceBox<ScheduleName> schedule = choice("schedule", ScheduleName::title,
                name -> update(current().with(name)));
        NumberFieldView steps = number(new NumberFieldView.NumberRange(1, SamplingSettings.MAX_STEPS, 1),
                ImageSettingsView.INTEGER, value -> update(current().withSteps((int) value)));
        NumberFieldView guidance = number(new NumberFieldView.NumberRange(0, ImageSettings.MAX_GUIDANCE_SCALE, 0.5),
                ImageSettings::number,
                value -> update(current().with(new Guidance(value, current().guidance().rescale()))));
        NumberFieldView rescale = number(new NumberFieldView.NumberRange(0, 1, 0.05), HUNDREDTHS,
                value -> update(current().with(new Guidance(current().guidance().scale(), value))));
        NumberFieldView eta = number(new NumberFieldView.NumberRange(0, 1, 0.05), HUNDREDTHS,
                value -> update(current().withEta(value)));
        NumberFieldView clipSkip = number(new NumberFieldView.NumberRange(1, ImageSettings.MAX_CLIP_SKIP, 1),
                ImageSettingsView.INTEGER, value -> update(current().withClipSkip((int) value)));
        Node etaField = field("eta", "How much fresh noise the sampler adds on its way", eta);
        model.settings().map(ImageSettings::sampling).subscribe(now -> {
            updating = true;
            sampler.setValue(now.sampler());
            List<ScheduleName> schedules = List.copyOf(now.sampler().schedules());
            if (!schedule.getItems().equals(schedules)) schedule.getItems().setAll(schedules);
            schedule.setValue(now.schedule());
            updating = false;
            steps.showValue(now.steps());
            guidance.showValue(now.guidance().scale());
            rescale.showValue(now.guidance().rescale());
            eta.showValue(now.eta().orElse(now.sampler().defaultEta().orElse(0)));
            clipSkip.showValue(now.clipSkip());
            etaField.setVisible(now.sampler().defaultEta().isPresent());
            etaField.setManaged(etaField.isVisible());
        });
        getChildren().addAll(field("sampler", "How noise becomes a picture", sampler),
                field("schedule", "How the noise levels on the way are spaced; Automatic is the model's own", schedule),
                new LabeledFieldView("steps", steps),
                new LabeledFieldView("guidance", guidance),
                field("rescale", "Takes back what of the contrast guidance adds; for models that predict v", rescale),
                etaField,
                field("clip skip", "Which of the text encoder's last layers is read; 1 is the last", clipSkip));
    }

    private static Node field(String name, String meaning, Node control) {
        LabeledFieldView field = new LabeledFieldView(name, control);
        Tooltip.install(field, new Tooltip(meaning));
        return field;
    }

    private static NumberFieldView number(NumberFieldView.NumberRange range, DoubleFunction<String> format,
            DoubleConsumer onChange) {
        NumberFieldView number = new NumberFieldView(range, format, onChange);
        number.setPrefColumnCount(3);
        return number;
    }

    @FunctionalInterface
    private interface ValueSetter<T> {
        void set(T value);
    }

    private <T> ChoiceBox<T> choice(String id, Function<T, String> title, ValueSetter<T> setter) {
        ChoiceBox<T> box = new ChoiceBox<>();
        box.setId(id);
        box.setConverter(new TitleConverter<>(title));
        box.valueProperty().addListener((property, before, now) -> {
            if (!updating && now != null) setter.set(now);
        });
        return box;
    }

    private SamplerSettings current() {
        return model.settings().get().sampling();
    }

    private void update(SamplerSettings changed) {
        if (!changed.equals(current())) model.settings(model.settings().get().withSampling(changed));
    }
}

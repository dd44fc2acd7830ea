package atomstudio.app.generate;

import atomstudio.app.generate.PictureSettings.Way;
import atomstudio.app.parts.ChoiceConverter;
import atomstudio.app.parts.FieldView;
import atomstudio.app.parts.NumberFieldView;
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
final class WayView extends FlowPane {
    private static final DoubleFunction<String> HUNDREDTHS = value -> String.format(Locale.ROOT, "%.2f", value);

    private final GenerateViewModel model;
    private boolean showing;

    WayView(GenerateViewModel model) {
        super(6, 6);
        this.model = model;
        ChoiceBox<SamplerName> sampler = choice("sampler", SamplerName::title, name -> set(now().with(name)));
        sampler.getItems().setAll(SamplerName.values());
        ChoiceBox<ScheduleName> schedule = choice("schedule", ScheduleName::title, name -> set(now().with(name)));
        NumberFieldView steps = number(new NumberFieldView.Range(1, SamplingSettings.MAX_STEPS, 1), PictureSettingsView.WHOLE, value -> set(now().withSteps((int) value)));
        NumberFieldView guidance = number(new NumberFieldView.Range(0, PictureSettings.MOST_GUIDANCE, 0.5), PictureSettings::number, value -> set(now().with(new Guidance(value, now().guidance().rescale()))));
        NumberFieldView rescale = number(new NumberFieldView.Range(0, 1, 0.05), HUNDREDTHS, value -> set(now().with(new Guidance(now().guidance().scale(), value))));
        NumberFieldView eta = number(new NumberFieldView.Range(0, 1, 0.05), HUNDREDTHS, value -> set(now().withEta(value)));
        NumberFieldView skip = number(new NumberFieldView.Range(1, PictureSettings.MOST_CLIP_SKIP, 1), PictureSettingsView.WHOLE, value -> set(now().withClipSkip((int) value)));
        Node fresh = field("eta", "How much fresh noise the sampler adds on its way", eta);
        model.settings().map(PictureSettings::way).subscribe(now -> {
            showing = true;
            sampler.setValue(now.sampler());
            List<ScheduleName> taken = List.copyOf(now.sampler().schedules());
            if (!schedule.getItems().equals(taken)) schedule.getItems().setAll(taken);
            schedule.setValue(now.schedule());
            showing = false;
            steps.show(now.steps());
            guidance.show(now.guidance().scale());
            rescale.show(now.guidance().rescale());
            eta.show(now.eta().orElse(now.sampler().defaultEta().orElse(0)));
            skip.show(now.clipSkip());
            fresh.setVisible(now.sampler().defaultEta().isPresent());
            fresh.setManaged(fresh.isVisible());
        });
        getChildren().addAll(field("sampler", "How noise becomes a picture", sampler), field("schedule", "How the noise levels on the way are spaced; Automatic is the model's own", schedule), new FieldView("steps", steps),
            new FieldView("guidance", guidance), field("rescale", "Takes back what of the contrast guidance adds; for models that predict v", rescale), fresh,
            field("clip skip", "Which of the text encoder's last layers is read; 1 is the last", skip));
    }

    private static Node field(String name, String meaning, Node control) {
        FieldView field = new FieldView(name, control);
        Tooltip.install(field, new Tooltip(meaning));
        return field;
    }

    private static NumberFieldView number(NumberFieldView.Range range, DoubleFunction<String> format, DoubleConsumer onChange) {
        NumberFieldView number = new NumberFieldView(range, format, onChange);
        number.setPrefColumnCount(3);
        return number;
    }

    @FunctionalInterface
    private interface Chosen<T> {
        void take(T value);
    }

    private <T> ChoiceBox<T> choice(String id, Function<T, String> title, Chosen<T> chosen) {
        ChoiceBox<T> box = new ChoiceBox<>();
        box.setId(id);
        box.setConverter(new ChoiceConverter<>(title));
        box.valueProperty().addListener((property, before, now) -> {
            if (!showing && now != null) chosen.take(now);
        });
        return box;
    }

    private Way now() {
        return model.settings().get().way();
    }

    private void set(Way changed) {
        if (!changed.equals(now())) model.settings(model.settings().get().withWay(changed));
    }
}

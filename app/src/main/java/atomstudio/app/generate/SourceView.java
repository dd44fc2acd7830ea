package atomstudio.app.generate;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.controls.ValueFieldView;
import atomstudio.app.generate.ImageSettings.SourceImage;
import atomstudio.app.pipeline.GenerationLimits;
import atomstudio.diffusion.image.RgbImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import javafx.beans.property.SimpleStringProperty;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.CheckBox;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;

/// Image to image: source image, mask, denoising strength; and the hires fix.
final class SourceView extends VBox {
    private static final double SIDE = 44;

    private final GenerateViewModel model;
    private final HBox sourceBox = new HBox(6);
    private final SimpleStringProperty cropNote = new SimpleStringProperty("");
    private Optional<SourceImage> shown = Optional.empty();

    SourceView(GenerateViewModel model) {
        super(6);
        this.model = model;
        sourceBox.setAlignment(Pos.CENTER_LEFT);
        ValueFieldView<Double> denoise = ValueFieldView.ofNumber(
                new ValueFieldView.NumberRange(GenerationLimits.DENOISING_STRENGTH, 0.05),
                ImageSettings::number, model.source()::setDenoisingStrength);
        denoise.setId("denoising-strength");
        denoise.setPrefColumnCount(3);
        LabeledFieldView denoiseField = new LabeledFieldView("Denoising strength", denoise);
        String description = "0 keeps the image, 1 ignores it";
        denoiseField.setAccessibleHelp(description);
        Tooltip.install(denoiseField, new Tooltip(description));
        denoiseField.setMaxHeight(USE_PREF_SIZE);
        FlowPane line = new FlowPane(6, 6, sourceBox, hiresField(), denoiseField);
        refreshSource();
        model.settings().subscribe(now -> {
            if (!now.source().image().equals(shown)) refreshSource();
            denoise.showValue(now.source().denoisingStrength());
            denoiseField.setVisible(now.source().usesDenoisingStrength());
            denoiseField.setManaged(denoiseField.isVisible());
            cropNote.set(cropNote(now));
        });
        getChildren().addAll(line, new NoteView(NoteView.NoteKind.PLAIN, cropNote),
                new NoteView(NoteView.NoteKind.ERROR, model.source().problem()));
    }

    /// Shown if the source image has another aspect ratio than the output.
    private static String cropNote(ImageSettings settings) {
        Optional<RgbImage> image = settings.source().image().map(SourceImage::image);
        if (image.isEmpty()) return "";
        int width = image.get().width(), height = image.get().height();
        boolean sameAspect = (long) width * settings.size().height() == (long) height * settings.size().width();
        return sameAspect ? ""
                : "The source image is " + width + " × " + height + ". Cropped to " + settings.size()
                        + ".";
    }

    private HBox hiresField() {
        ValueFieldView<Double> scale = ValueFieldView.ofNumber(
                new ValueFieldView.NumberRange(GenerationLimits.HIRES_SCALE, 0.1), ImageSettings::number,
                value -> model.source().setHiresScale(OptionalDouble.of(value)));
        scale.setId("hires-scale");
        scale.setAccessibleText("Hires scale");
        scale.setPrefColumnCount(3);
        scale.showValue(2.0);
        CheckBox on = new CheckBox("Upscale (hires fix)");
        on.setId("hires");
        on.setTooltip(new Tooltip("Upscales the image and refines it in a second pass: more detail without duplicated "
                + "heads"));
        HBox field = new HBox(4, on, new Label("×"), scale);
        field.setAlignment(Pos.CENTER_LEFT);
        field.getStyleClass().add("field");
        field.setMaxHeight(USE_PREF_SIZE);
        model.settings().map(now -> now.source().hiresScale()).subscribe(now -> {
            on.setSelected(now.isPresent());
            scale.setDisable(now.isEmpty());
            if (now.isPresent()) scale.showValue(now.getAsDouble());
        });
        on.setOnAction(pressed -> model.source()
                .setHiresScale(on.isSelected() && scale.value() != null ? OptionalDouble.of(scale.value())
                        : OptionalDouble.empty()));
        return field;
    }

    private void refreshSource() {
        shown = model.settings().get().source().image();
        List<Node> nodes = new ArrayList<>();
        shown.ifPresent(source -> {
            nodes.add(new RoundedImageView(source.image(), SIDE));
            Label name = new Label(source.name());
            name.setMaxWidth(150);
            nodes.add(name);
        });
        nodes.add(button(shown.isPresent() ? "Replace…" : "Image to image…", model.source()::chooseImage)
                .withId("source-image"));
        shown.ifPresent(source -> {
            nodes.add(button("Remove", model.source()::removeImage));
            nodes.add(button(source.mask().isPresent() ? "Edit mask…" : "Paint mask…", model.source()::startPainting)
                    .withId("paint-mask"));
            nodes.add(button("Mask from file…", model.source()::chooseMask));
            source.mask().ifPresent(mask -> {
                nodes.add(new RoundedImageView(mask.grayscale(), SIDE));
                nodes.add(button("Remove mask", model.source()::removeMask));
            });
        });
        sourceBox.getChildren().setAll(nodes);
    }

    private static ActionButtonView button(String text, Runnable action) {
        return new ActionButtonView(text, action, "small");
    }
}

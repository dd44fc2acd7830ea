package atomstudio.app.generate;

import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.NumberFieldView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.generate.ImageSettings.SourceImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import javafx.beans.property.SimpleStringProperty;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.CheckBox;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;

/// A picture to start from, where it may change, and the second pass.
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
        NumberFieldView denoise = new NumberFieldView(
                new NumberFieldView.NumberRange(ImageSettings.MIN_DENOISING_STRENGTH, 1, 0.05),
                value -> String.format(Locale.ROOT, "%.2f", value), model.source()::setDenoisingStrength);
        denoise.setId("denoise");
        denoise.setPrefColumnCount(3);
        LabeledFieldView denoiseField = new LabeledFieldView("denoise", denoise);
        denoiseField.setAccessibleHelp("How much is made anew: little keeps the picture, 1 keeps next to nothing");
        denoiseField.setMaxHeight(USE_PREF_SIZE);
        FlowPane line = new FlowPane(6, 6, sourceBox, hiresField(), denoiseField);
        refreshSource();
        model.settings().subscribe(now -> {
            if (!now.source().image().equals(shown)) refreshSource();
            denoise.showValue(now.source().denoisingStrength());
            boolean used = now.source().image().isPresent() || now.source().hiresScale().isPresent();
            denoiseField.setVisible(used);
            denoiseField.setManaged(used);
            cropNote.set(cropNote(now));
        });
        getChildren().addAll(line, new NoteView(NoteView.NoteKind.PLAIN, cropNote),
                new NoteView(NoteView.NoteKind.ERROR, model.source().problem()));
    }

    /// What of the picture is seen when it has another shape than the pictures that are made.
    private static String cropNote(ImageSettings settings) {
        return settings.source()
                .image()
                .map(SourceImage::image)
                .filter(picture -> (long) picture.width() * settings.size().height()
                        != (long) picture.height() * settings.size().width())
                .map(picture -> "The picture is " + picture.width() + " × " + picture.height() + ": its centre fills "
                        + settings.size() + ", what sticks out is cropped.")
                .orElse("");
    }

    private HBox hiresField() {
        NumberFieldView scale = new NumberFieldView(
                new NumberFieldView.NumberRange(1.1, ImageSettings.MAX_HIRES_SCALE, 0.1), ImageSettings::number,
                value -> model.source().setHiresScale(OptionalDouble.of(value)));
        scale.setId("hires-scale");
        scale.setPrefColumnCount(3);
        scale.showValue(2);
        CheckBox on = new CheckBox("second pass ×");
        on.setId("hires");
        on.setTooltip(new Tooltip(
                "Enlarges what was made and goes over it once more: larger pictures without doubled heads"));
        HBox field = new HBox(4, on, scale);
        field.setAlignment(Pos.CENTER_LEFT);
        field.getStyleClass().add("field");
        field.setMaxHeight(USE_PREF_SIZE);
        model.settings().map(now -> now.source().hiresScale()).subscribe(now -> {
            on.setSelected(now.isPresent());
            scale.setDisable(now.isEmpty());
            if (now.isPresent()) scale.showValue(now.getAsDouble());
        });
        on.setOnAction(pressed -> model.source()
                .setHiresScale(on.isSelected() ? OptionalDouble.of(Double.parseDouble(scale.getText()))
                        : OptionalDouble.empty()));
        return field;
    }

    private void refreshSource() {
        shown = model.settings().get().source().image();
        List<Node> nodes = new ArrayList<>();
        Button choose = button(shown.isPresent() ? "Another picture…" : "Start from a picture…",
                model.source()::chooseImage);
        choose.setId("start-picture");
        shown.ifPresent(image -> {
            nodes.add(new RoundedImageView(image.image(), SIDE));
            Label name = new Label(image.name());
            name.setMaxWidth(150);
            nodes.add(name);
        });
        nodes.add(choose);
        shown.ifPresent(image -> {
            Button paint = button(image.mask().isPresent() ? "Mask: paint…" : "Paint a mask…",
                    model.source()::startPainting);
            paint.setId("paint-mask");
            nodes.add(paint);
            nodes.add(button("Mask file…", model.source()::chooseMask));
            image.mask().ifPresent(mask -> {
                nodes.add(new RoundedImageView(mask.grayscale(), SIDE));
                nodes.add(button("No mask", () -> model.source().finishPainting(Optional.empty())));
            });
            nodes.add(button("No picture", model.source()::removeImage));
        });
        sourceBox.getChildren().setAll(nodes);
    }

    private static Button button(String text, Runnable action) {
        Button button = new Button(text);
        button.getStyleClass().add("small");
        button.setOnAction(pressed -> action.run());
        return button;
    }
}

package atomstudio.app.generate;

import atomstudio.app.generate.PictureSettings.Given;
import atomstudio.app.parts.FieldView;
import atomstudio.app.parts.NoteView;
import atomstudio.app.parts.NumberFieldView;
import atomstudio.app.parts.PictureView;
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
    private final HBox given = new HBox(6);
    private final SimpleStringProperty fit = new SimpleStringProperty("");
    private Optional<Given> shown = Optional.empty();

    SourceView(GenerateViewModel model) {
        super(6);
        this.model = model;
        given.setAlignment(Pos.CENTER_LEFT);
        NumberFieldView denoise = new NumberFieldView(new NumberFieldView.Range(PictureSettings.LEAST_DENOISE, 1, 0.05), value -> String.format(Locale.ROOT, "%.2f", value), model.source()::denoise);
        denoise.setId("denoise");
        denoise.setPrefColumnCount(3);
        FieldView denoised = new FieldView("denoise", denoise);
        denoised.setAccessibleHelp("How much is made anew: little keeps the picture, 1 keeps next to nothing");
        denoised.setMaxHeight(USE_PREF_SIZE);
        FlowPane line = new FlowPane(6, 6, given, second(), denoised);
        fillGiven();
        model.settings().subscribe(now -> {
            if (!now.start().given().equals(shown)) fillGiven();
            denoise.show(now.start().denoise());
            boolean used = now.start().given().isPresent() || now.start().hires().isPresent();
            denoised.setVisible(used);
            denoised.setManaged(used);
            fit.set(fit(now));
        });
        getChildren().addAll(line, new NoteView(NoteView.Kind.PLAIN, fit), new NoteView(NoteView.Kind.ERROR, model.source().problem()));
    }

    /// What of the picture is seen when it has another shape than the pictures that are made.
    private static String fit(PictureSettings now) {
        return now.start().given().map(Given::picture).filter(picture -> (long) picture.width() * now.size().height() != (long) picture.height() * now.size().width())
            .map(picture -> "The picture is " + picture.width() + " × " + picture.height() + ": its centre fills " + now.size() + ", what sticks out is cropped.").orElse("");
    }

    private HBox second() {
        NumberFieldView scale = new NumberFieldView(new NumberFieldView.Range(1.1, PictureSettings.MOST_HIRES, 0.1), PictureSettings::number, value -> model.source().hires(OptionalDouble.of(value)));
        scale.setId("hires-scale");
        scale.setPrefColumnCount(3);
        scale.show(2);
        CheckBox on = new CheckBox("second pass ×");
        on.setId("hires");
        on.setTooltip(new Tooltip("Enlarges what was made and goes over it once more: larger pictures without doubled heads"));
        HBox field = new HBox(4, on, scale);
        field.setAlignment(Pos.CENTER_LEFT);
        field.getStyleClass().add("field");
        field.setMaxHeight(USE_PREF_SIZE);
        model.settings().map(now -> now.start().hires()).subscribe(now -> {
            on.setSelected(now.isPresent());
            scale.setDisable(now.isEmpty());
            if (now.isPresent()) scale.show(now.getAsDouble());
        });
        on.setOnAction(pressed -> model.source().hires(on.isSelected() ? OptionalDouble.of(Double.parseDouble(scale.getText())) : OptionalDouble.empty()));
        return field;
    }

    private void fillGiven() {
        shown = model.settings().get().start().given();
        List<Node> nodes = new ArrayList<>();
        Button choose = button(shown.isPresent() ? "Another picture…" : "Start from a picture…", model.source()::choosePicture);
        choose.setId("start-picture");
        shown.ifPresent(picture -> {
            nodes.add(new PictureView(picture.picture(), SIDE));
            Label name = new Label(picture.name());
            name.setMaxWidth(150);
            nodes.add(name);
        });
        nodes.add(choose);
        shown.ifPresent(picture -> {
            Button paint = button(picture.mask().isPresent() ? "Mask: paint…" : "Paint a mask…", model.source()::paint);
            paint.setId("paint-mask");
            nodes.add(paint);
            nodes.add(button("Mask file…", model.source()::chooseMask));
            picture.mask().ifPresent(mask -> {
                nodes.add(new PictureView(mask.grey(), SIDE));
                nodes.add(button("No mask", () -> model.source().painted(Optional.empty())));
            });
            nodes.add(button("No picture", model.source()::remove));
        });
        given.getChildren().setAll(nodes);
    }

    private static Button button(String text, Runnable action) {
        Button button = new Button(text);
        button.getStyleClass().add("small");
        button.setOnAction(pressed -> action.run());
        return button;
    }
}

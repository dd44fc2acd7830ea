package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.controls.ValueFieldView;
import atomstudio.app.generate.ImageSettings.SourceImage;
import atomstudio.app.pipeline.GenerationLimits;
import atomstudio.diffusion.image.RgbImage;
import java.io.File;
import java.util.List;
import java.util.Optional;
import javafx.beans.property.SimpleStringProperty;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.input.DragEvent;
import javafx.scene.input.TransferMode;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;

/// Image to image: a zone to drop the source image on, then the image with its mask and the denoising strength. The
/// hires pass uses the denoising strength too.
final class SourceCardView extends VBox {
    private static final PseudoClass DROPPING = PseudoClass.getPseudoClass("dropping");
    private static final double SIDE = 56;

    private final GenerateViewModel model;
    private final Button zone;
    private final VBox card = new VBox(6);
    private final SimpleStringProperty cropNote = new SimpleStringProperty("");
    private Optional<SourceImage> shown = Optional.empty();

    SourceCardView(GenerateViewModel model) {
        super(6);
        this.model = model;
        zone = new ActionButtonView(text("generate.source.drop"), model.source()::chooseImage, "drop-zone")
                .withId("source-image");
        zone.setMinWidth(0);
        zone.setMaxWidth(Double.MAX_VALUE);
        setOnDragOver(this::onDragOver);
        setOnDragExited(drag -> zone.pseudoClassStateChanged(DROPPING, false));
        setOnDragDropped(this::onDropped);
        Node denoising = denoisingField();
        getChildren().addAll(GeneratePanelView.title(text("generate.source")), zone, card, denoising,
                new NoteView(NoteView.NoteKind.PLAIN, cropNote),
                new NoteView(NoteView.NoteKind.ERROR, model.source().problem()));
        refresh();
        model.settings().subscribe(now -> {
            if (!now.source().image().equals(shown)) refresh();
            denoising.setVisible(now.source().usesDenoisingStrength());
            denoising.setManaged(denoising.isVisible());
            cropNote.set(cropNote(now));
        });
    }

    private Node denoisingField() {
        ValueFieldView<Double> field = ValueFieldView.ofNumber(
                new ValueFieldView.NumberRange(GenerationLimits.DENOISING_STRENGTH, 0.05), ImageSettings::number,
                model.source()::setDenoisingStrength);
        field.setId("denoising-strength");
        field.setPrefColumnCount(3);
        model.settings().subscribe(now -> field.showValue(now.source().denoisingStrength()));
        LabeledFieldView labeled = new LabeledFieldView(text("generate.denoising"), field);
        labeled.setAccessibleHelp(text("generate.denoising.tip"));
        Tooltip.install(labeled, new Tooltip(text("generate.denoising.tip")));
        return labeled;
    }

    /// Shown if the source image has another aspect ratio than the output.
    private static String cropNote(ImageSettings settings) {
        Optional<RgbImage> image = settings.source().image().map(SourceImage::image);
        if (image.isEmpty()) return "";
        int width = image.get().width(), height = image.get().height();
        boolean sameAspect = (long) width * settings.size().height() == (long) height * settings.size().width();
        return sameAspect ? "" : text("generate.source.cropped", width, height, settings.size());
    }

    private void refresh() {
        shown = model.settings().get().source().image();
        zone.setVisible(shown.isEmpty());
        zone.setManaged(shown.isEmpty());
        card.getChildren().clear();
        card.setManaged(shown.isPresent());
        shown.ifPresent(source -> {
            Label name = new Label(source.name());
            name.setMinWidth(0);
            HBox images = new HBox(8, new RoundedImageView(source.image(), SIDE));
            images.setAlignment(Pos.CENTER_LEFT);
            source.mask().ifPresent(mask -> images.getChildren().add(new RoundedImageView(mask.grayscale(), SIDE)));
            images.getChildren().add(name);
            FlowPane buttons = new FlowPane(6, 6,
                    button(source.mask().isPresent() ? text("generate.mask.edit") : text("generate.mask.paint"),
                            model.source()::startPainting).withId("paint-mask"),
                    button(text("generate.mask.file"), model.source()::chooseMask));
            if (source.mask().isPresent())
                buttons.getChildren().add(button(text("generate.mask.remove"), model.source()::removeMask));
            buttons.getChildren()
                    .addAll(button(text("generate.source.replace"), model.source()::chooseImage),
                            button(text("generate.source.remove"), model.source()::removeImage));
            card.getChildren().setAll(images, buttons);
        });
    }

    private static ActionButtonView button(String text, Runnable action) {
        return new ActionButtonView(text, action, "small");
    }

    /// A single image is taken here; anything else is the window's.
    private static boolean isImage(DragEvent drag) {
        List<File> files = drag.getDragboard().hasFiles() ? drag.getDragboard().getFiles() : List.of();
        return files.size() == 1 && files.getFirst().getName().matches("(?i).*\\.(png|jpe?g|webp|bmp|gif|tiff?)");
    }

    private void onDragOver(DragEvent drag) {
        if (!isImage(drag)) return;
        drag.acceptTransferModes(TransferMode.COPY);
        zone.pseudoClassStateChanged(DROPPING, true);
        drag.consume();
    }

    private void onDropped(DragEvent drag) {
        zone.pseudoClassStateChanged(DROPPING, false);
        if (!isImage(drag)) return;
        model.source().setImage(drag.getDragboard().getFiles().getFirst().toPath());
        drag.setDropCompleted(true);
        drag.consume();
    }
}

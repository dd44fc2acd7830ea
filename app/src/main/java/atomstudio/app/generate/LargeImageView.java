package atomstudio.app.generate;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.OverlayView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.diffusion.image.RgbImage;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// An image as an overlay. Arrow keys change seed and row, Escape closes.
public final class LargeImageView extends OverlayView {
    private static final double CHROME_HEIGHT = 190;
    /// Small images are enlarged up to this side, in pixels, large ones up to twice their size.
    private static final double MAX_UPSCALED_SIDE = 512;

    private final LargeImageViewModel model;
    private final Button save;
    private final StackPane imagePane = new StackPane();
    private final Label title = new Label();
    private final Label settings = new Label();

    public LargeImageView(LargeImageViewModel model) {
        this.model = model;
        setId("large-image");
        title.getStyleClass().add("row-title");
        settings.getStyleClass().add("muted");
        settings.setWrapText(true);
        settings.setMaxWidth(720);
        settings.setMinHeight(Region.USE_PREF_SIZE);
        save = new ActionButtonView("Save image…", model::save).withId("save-image");
        HBox buttons = new HBox(8, save, new ActionButtonView("Copy settings", model::copySettings),
                new ActionButtonView("Use as source", model::useAsSource), new ActionButtonView("Close", model::close));
        buttons.setAlignment(Pos.CENTER);
        Label keyHints = new Label("← → seed · ↑ ↓ row · Esc closes");
        keyHints.getStyleClass().addAll("muted", "small-text");
        NoteView note = new NoteView(NoteView.NoteKind.PLAIN, model.message());
        note.setMaxWidth(Region.USE_PREF_SIZE);
        VBox card = new VBox(8, title, imagePane, settings, buttons, note, keyHints);
        card.setAlignment(Pos.CENTER);
        card.setMaxSize(Region.USE_PREF_SIZE, Region.USE_PREF_SIZE);
        setCard(card, model::close);
        addEventFilter(KeyEvent.KEY_PRESSED, this::onKey);
        model.shown().subscribe(this::showImage);
        heightProperty().subscribe(now -> showImage(model.shown().get()));
    }

    private void showImage(LargeImageViewModel.@Nullable ShownImage shown) {
        if (shown == null) {
            hideOverlay();
            imagePane.getChildren().clear();
            return;
        }
        title.setText(shown.title());
        settings.setText(shown.image().metadata().infotext().format().replace("\n", "  ·  "));
        RgbImage image = shown.image().image();
        double maxSide = Math.max(MAX_UPSCALED_SIDE, 2.0 * Math.max(image.width(), image.height()));
        double side = Math.clamp(Math.min(getHeight() - CHROME_HEIGHT - 40, getWidth() - 80), 128, maxSide);
        imagePane.getChildren().setAll(new RoundedImageView(image, side));
        showOverlay(save);
    }

    private void onKey(KeyEvent key) {
        switch (key.getCode()) {
            case LEFT -> model.moveColumn(-1);
            case RIGHT -> model.moveColumn(1);
            case UP -> model.moveRow(-1);
            case DOWN -> model.moveRow(1);
            case ESCAPE -> model.close();
            default -> {
                return;
            }
        }
        key.consume();
    }
}

package atomstudio.app.generate;

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

/// A picture over the whole window. Arrow keys move between seeds and rows, Escape closes.
public final class LargeImageView extends OverlayView {
    private static final double CHROME_HEIGHT = 190;
    /// Small pictures are not blown up beyond this, large ones to twice their size.
    private static final double MAX_UPSCALED_SIDE = 512;

    private final LargeImageViewModel model;
    private final Button save = new Button("Save picture…");
    private final StackPane imagePane = new StackPane();
    private final Label title = new Label();
    private final Label settings = new Label();

    public LargeImageView(LargeImageViewModel model) {
        this.model = model;
        setId("large-picture");
        title.getStyleClass().add("row-title");
        settings.getStyleClass().add("muted");
        settings.setWrapText(true);
        settings.setMaxWidth(720);
        settings.setMinHeight(Region.USE_PREF_SIZE);
        save.setId("save-picture");
        save.setOnAction(pressed -> model.save());
        HBox buttons = new HBox(8, save, button("Copy settings", model::copySettings),
                button("Start from it", model::useAsSource), button("Close", model::close));
        buttons.setAlignment(Pos.CENTER);
        Label keyHints = new Label("← → other seeds   ↑ ↓ other rows, same seed   Esc closes");
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

    private static Button button(String text, Runnable action) {
        Button button = new Button(text);
        button.setOnAction(pressed -> action.run());
        return button;
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

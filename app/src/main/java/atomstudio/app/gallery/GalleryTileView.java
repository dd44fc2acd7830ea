package atomstudio.app.gallery;

import atomstudio.app.controls.TileGridView;
import java.util.List;
import javafx.geometry.Pos;
import javafx.scene.control.ContextMenu;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.image.Image;
import javafx.scene.input.ClipboardContent;
import javafx.scene.input.Dragboard;
import javafx.scene.input.MouseButton;
import javafx.scene.input.MouseEvent;
import javafx.scene.input.TransferMode;
import javafx.scene.layout.StackPane;
import org.jspecify.annotations.Nullable;

/// One image of the gallery: a click opens it large, a drag takes its file to another program, and a menu has the
/// other actions. Reused for one image after the other.
final class GalleryTileView extends StackPane implements TileGridView.Tile<GalleryImage> {
    private static final double BORDER = 2;

    private final LargeImageViewModel model;
    private final ThumbnailView thumbnail;
    private final Label star = new Label("★");
    private final Tooltip tooltip = new Tooltip();
    private final ContextMenu menu = new ContextMenu();
    private @Nullable GalleryImage shown;

    GalleryTileView(LargeImageViewModel model) {
        this.model = model;
        getStyleClass().add("gallery-tile");
        thumbnail = new ThumbnailView(model.gallery().thumbnails());
        star.getStyleClass().add("tile-star");
        star.setMouseTransparent(true);
        StackPane.setAlignment(star, Pos.TOP_RIGHT);
        tooltip.setWrapText(true);
        tooltip.setMaxWidth(320);
        Tooltip.install(this, tooltip);
        getChildren().addAll(thumbnail, star);
        setOnMouseClicked(this::onClicked);
        setOnDragDetected(this::startDrag);
        setOnContextMenuRequested(request -> {
            if (shown != null) menu.getItems().setAll(GalleryImageMenuView.items(model, shown));
            menu.show(this, request.getScreenX(), request.getScreenY());
            request.consume();
        });
    }

    @Override
    public StackPane node() {
        return this;
    }

    /// @param image null: nothing
    @Override
    public void show(@Nullable GalleryImage image, double side) {
        shown = image;
        thumbnail.setSide(side - 2 * BORDER);
        thumbnail.use(side > Thumbnails.SIDE ? model.gallery().largeThumbnails() : model.gallery().thumbnails());
        thumbnail.show(image);
        setVisible(image != null);
        showStar();
        if (image == null) return;
        tooltip.setText(image.title() + "\n" + image.prompt());
        setAccessibleText(image.title() + ", " + image.prompt());
    }

    void showStar() {
        star.setVisible(shown != null && model.gallery().isStarred(shown));
    }

    private void onClicked(MouseEvent click) {
        // With a modifier key the list selects.
        if (shown == null || click.getButton() != MouseButton.PRIMARY || click.isShortcutDown() || click.isShiftDown()
                || !click.isStillSincePress())
            return;
        model.open(shown);
    }

    private void startDrag(MouseEvent drag) {
        if (shown == null || shown.unsaved().isPresent()) return;
        Dragboard board = startDragAndDrop(TransferMode.COPY);
        ClipboardContent content = new ClipboardContent();
        content.putFiles(List.of(shown.file().toFile()));
        board.setContent(content);
        Image image = thumbnail.image();
        if (image != null) board.setDragView(image, image.getWidth() / 2, image.getHeight() / 2);
        drag.consume();
    }
}

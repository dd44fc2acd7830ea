package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CompareCells.CellState;
import atomstudio.app.compare.CompareCells.CompareCell;
import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.ThumbnailView;
import atomstudio.app.gallery.Thumbnails;
import atomstudio.diffusion.image.RgbImage;
import java.util.function.Consumer;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.image.ImageView;
import javafx.scene.layout.StackPane;
import org.jspecify.annotations.Nullable;

/// One image of the comparison, or its place. A click opens it large.
final class CompareCellView extends Button {
    private static final PseudoClass EMPTY = PseudoClass.getPseudoClass("empty");

    private final CompareViewModel comparison;
    private final ThumbnailView thumbnail;
    private final ImageView preview = new ImageView();
    private final Label state = new Label();
    private @Nullable GalleryImage image;
    private String key = "";
    private boolean inSight;

    /// @param onOpen opens the image
    CompareCellView(CompareViewModel comparison, Consumer<GalleryImage> onOpen) {
        this.comparison = comparison;
        thumbnail = new ThumbnailView(comparison.gallery().thumbnails());
        StackPane content = new StackPane(thumbnail, preview, state);
        content.getStyleClass().add("image-cell");
        preview.setPreserveRatio(true);
        preview.setSmooth(true);
        state.getStyleClass().add("cell-state");
        StackPane.setAlignment(state, Pos.BOTTOM_LEFT);
        setGraphic(content);
        setTooltip(new Tooltip());
        setOnAction(pressed -> {
            if (image != null) onOpen.accept(image);
        });
        widthProperty().subscribe(now -> {
            double side = now.doubleValue();
            content.setPrefSize(side, side);
            content.setMinSize(side, side);
            content.setMaxSize(side, side);
            thumbnail.setSide(side);
            preview.setFitWidth(side);
            preview.setFitHeight(side);
            thumbnail.use(side > Thumbnails.SIDE ? comparison.gallery().largeThumbnails()
                    : comparison.gallery().thumbnails());
        });
    }

    void showPhoto(GalleryImage photo) {
        getStyleClass().add("photo-button");
        image = photo;
        setAccessibleText(photo.title());
        getTooltip().setText(photo.title());
        state.setVisible(false);
        load();
    }

    void show(CompareCell cell) {
        if (key.isEmpty()) getStyleClass().add("image-button");
        key = cell.key();
        image = cell.image();
        pseudoClassStateChanged(EMPTY, image == null);
        String prompt = cell.order().prompt().text(cell.order().adapter().phrase(comparison.subject().get()));
        CompareRow row = new CompareRow(cell.order().adapter(), cell.order().strength());
        String title = image != null ? image.title()
                : text("compare.cell", row.title(), new CellOrder.SetSeed(cell.order().seed()).title());
        setAccessibleText(title + " " + prompt);
        getTooltip().setText(title + "\n" + prompt);
        state.setText(cell.state() == CellState.QUEUED ? text("compare.cell.queued") : "");
        state.setVisible(!state.getText().isEmpty());
        showPreview(key);
        load();
    }

    /// @param changed the order of a preview that came or went
    void showPreview(String changed) {
        if (!changed.equals(key)) return;
        RgbImage pixels = comparison.progress().previews().get(key);
        preview.setVisible(pixels != null);
        preview.setImage(pixels == null ? null : RoundedImageView.toFxImage(pixels));
        if (pixels != null) state.setVisible(false);
    }

    /// Whether the cell is in the visible part of the table: others keep no pixels.
    void setInSight(boolean now) {
        if (now == inSight) return;
        inSight = now;
        load();
    }

    private void load() {
        thumbnail.show(inSight ? image : null);
    }
}

package atomstudio.app.gallery;

import atomstudio.app.controls.RoundedImageView;
import javafx.scene.image.Image;
import javafx.scene.image.ImageView;
import javafx.scene.layout.StackPane;
import javafx.scene.shape.Rectangle;
import org.jspecify.annotations.Nullable;

/// An image at the size of this node, from its thumbnail. The previous image stays until it is read.
public final class ThumbnailView extends StackPane {
    private static final double CORNER_ARC = 10;

    private Thumbnails thumbnails;
    private final ImageView view = new ImageView();
    private Thumbnails.@Nullable Source shown;
    private Thumbnails.@Nullable Request request;

    public ThumbnailView(Thumbnails thumbnails) {
        this.thumbnails = thumbnails;
        getStyleClass().add("thumbnail");
        setMinSize(0, 0);
        view.setPreserveRatio(true);
        view.setSmooth(true);
        view.fitWidthProperty().bind(widthProperty());
        view.fitHeightProperty().bind(heightProperty());
        Rectangle corners = new Rectangle();
        corners.setArcWidth(CORNER_ARC);
        corners.setArcHeight(CORNER_ARC);
        view.setClip(corners);
        view.layoutBoundsProperty().subscribe(bounds -> {
            corners.setWidth(bounds.getWidth());
            corners.setHeight(bounds.getHeight());
        });
        getChildren().add(view);
    }

    /// Sets the sides of the square that the image is fitted into.
    public void setSide(double side) {
        setFixedSize(side, side);
    }

    /// Sets the sides of the area that the image is fitted into.
    public void setFixedSize(double width, double height) {
        setPrefSize(width, height);
        setMaxSize(width, height);
        setMinSize(width, height);
    }

    /// Shows thumbnails of another size.
    public void use(Thumbnails changed) {
        if (changed == thumbnails) return;
        thumbnails = changed;
        Thumbnails.Source image = shown;
        shown = null;
        if (image != null) show(image);
    }

    /// @param image null: nothing
    public void show(Thumbnails.@Nullable Source image) {
        if (image != null && image.equals(shown)) return;
        if (request != null) request.cancel();
        request = null;
        shown = image;
        if (image == null) view.setImage(null);
        else request = thumbnails.request(image, pixels -> view.setImage(RoundedImageView.toFxImage(pixels)));
    }

    /// The thumbnail; null until it is read.
    @Nullable
    Image image() {
        return view.getImage();
    }
}

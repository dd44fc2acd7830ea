package atomstudio.app.parts;

import atomstudio.diffusion.picture.Picture;
import javafx.scene.image.Image;
import javafx.scene.image.ImageView;
import javafx.scene.image.PixelFormat;
import javafx.scene.image.WritableImage;
import javafx.scene.shape.Rectangle;

/// A picture with round corners, as large as it is told, keeping its proportions.
public final class PictureView extends ImageView {
    private static final double ROUND = 10;

    private final Rectangle corners = new Rectangle();

    public PictureView(Picture picture, double side) {
        this(image(picture), side);
    }

    public PictureView(Image image, double side) {
        super(image);
        setPreserveRatio(true);
        setSmooth(true);
        corners.setArcWidth(ROUND);
        corners.setArcHeight(ROUND);
        setClip(corners);
        layoutBoundsProperty().subscribe(bounds -> {
            corners.setWidth(bounds.getWidth());
            corners.setHeight(bounds.getHeight());
        });
        side(side);
    }

    /// The longer side.
    public void side(double side) {
        setFitWidth(side);
        setFitHeight(side);
    }

    public static Image image(Picture picture) {
        WritableImage image = new WritableImage(picture.width(), picture.height());
        image.getPixelWriter().setPixels(0, 0, picture.width(), picture.height(), PixelFormat.getIntArgbInstance(), picture.argb(), 0, picture.width());
        return image;
    }
}

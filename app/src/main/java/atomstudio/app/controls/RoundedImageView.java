package atomstudio.app.controls;

import atomstudio.diffusion.image.RgbImage;
import java.nio.IntBuffer;
import javafx.scene.image.Image;
import javafx.scene.image.ImageView;
import javafx.scene.image.PixelBuffer;
import javafx.scene.image.PixelFormat;
import javafx.scene.image.WritableImage;
import javafx.scene.shape.Rectangle;

/// An image with rounded corners, scaled to a given side at its own aspect ratio.
public final class RoundedImageView extends ImageView {
    private static final double CORNER_ARC = 10;

    private final Rectangle corners = new Rectangle();

    public RoundedImageView(RgbImage image, double side) {
        this(toFxImage(image), side);
    }

    public RoundedImageView(Image image, double side) {
        super(image);
        setPreserveRatio(true);
        setSmooth(true);
        corners.setArcWidth(CORNER_ARC);
        corners.setArcHeight(CORNER_ARC);
        setClip(corners);
        layoutBoundsProperty().subscribe(bounds -> {
            corners.setWidth(bounds.getWidth());
            corners.setHeight(bounds.getHeight());
        });
        setSide(side);
    }

    /// Sets the longer side, in pixels.
    public void setSide(double side) {
        setFitWidth(side);
        setFitHeight(side);
    }

    /// An opaque image shares its pixels with the result; a transparent one is copied.
    public static Image toFxImage(RgbImage image) {
        if (!image.hasTransparency())
            return new WritableImage(new PixelBuffer<>(image.width(), image.height(), IntBuffer.wrap(image.argb()),
                    PixelFormat.getIntArgbPreInstance()));
        WritableImage fxImage = new WritableImage(image.width(), image.height());
        fxImage.getPixelWriter()
                .setPixels(0, 0, image.width(), image.height(), PixelFormat.getIntArgbInstance(), image.argb(), 0,
                        image.width());
        return fxImage;
    }
}

package atomstudio.app.drawing;

import atomstudio.diffusion.image.RgbImage;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.Point;
import java.awt.Rectangle;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.TexturePaint;
import java.awt.geom.RoundRectangle2D;
import java.awt.image.BufferedImage;

/// Draws shapes and images into an image with Java2D. Text is drawn as shapes from [BitmapFont], since Java2D's own
/// text needs fontconfig. One thread at a time.
public final class PixelCanvas {
    /// Separates white images from the background.
    private static final Color EDGE = new Color(0, 0, 0, 26);

    private final BufferedImage image;
    private final Graphics2D graphics;

    public PixelCanvas(int width, int height, int rgb) {
        image = toBufferedImage(RgbImage.filled(width, height, rgb));
        graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    }

    private static BufferedImage toBufferedImage(RgbImage source) {
        BufferedImage image = new BufferedImage(source.width(), source.height(), BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, source.width(), source.height(), source.argb(), 0, source.width());
        return image;
    }

    /// Fills a shape with a colour 0xRRGGBB.
    public void fill(Shape shape, int rgb) {
        graphics.setPaint(new Color(rgb));
        graphics.fill(shape);
    }

    /// Draws an opaque image at its size, with rounded corners and a thin edge.
    public void image(RgbImage source, Point corner, int radius) {
        Rectangle box = new Rectangle(corner.x, corner.y, source.width(), source.height());
        graphics.setPaint(new TexturePaint(toBufferedImage(source), box));
        graphics.fill(new RoundRectangle2D.Double(box.x, box.y, box.width, box.height, 2 * radius, 2 * radius));
        graphics.setPaint(EDGE);
        graphics.draw(new RoundRectangle2D.Double(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1,
                2 * radius - 1, 2 * radius - 1));
    }

    public RgbImage image() {
        return new RgbImage(image.getWidth(), image.getHeight(),
                image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth()));
    }
}

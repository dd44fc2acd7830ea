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

/// A picture to draw shapes and pictures on, by Java2D. Text comes as shapes from [BitmapFont]:
/// Java2D's own text drawing fails where the system has no fontconfig. One thread.
public final class PixelCanvas {
    /// So faint that only white pictures need it.
    private static final Color EDGE_DIVISOR = new Color(0, 0, 0, 26);

    private final BufferedImage image;
    private final Graphics2D graphics;

    public PixelCanvas(int width, int height, int rgb) {
        image = image(RgbImage.filled(width, height, rgb));
        graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    }

    private static BufferedImage image(RgbImage picture) {
        BufferedImage image = new BufferedImage(picture.width(), picture.height(), BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, picture.width(), picture.height(), picture.argb(), 0, picture.width());
        return image;
    }

    /// Fills a shape with a colour 0xRRGGBB.
    public void fill(Shape shape, int rgb) {
        graphics.setPaint(new Color(rgb));
        graphics.fill(shape);
    }

    /// Draws an opaque picture in its own size, with round corners and a faint edge.
    public void image(RgbImage source, Point corner, int radius) {
        Rectangle box = new Rectangle(corner.x, corner.y, source.width(), source.height());
        graphics.setPaint(new TexturePaint(image(source), box));
        graphics.fill(new RoundRectangle2D.Double(box.x, box.y, box.width, box.height, 2 * radius, 2 * radius));
        graphics.setPaint(EDGE_DIVISOR);
        graphics.draw(new RoundRectangle2D.Double(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1,
                2 * radius - 1, 2 * radius - 1));
    }

    public RgbImage image() {
        return new RgbImage(image.getWidth(), image.getHeight(),
                image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth()));
    }
}

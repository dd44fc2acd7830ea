package atomstudio.app.drawing;

import atomstudio.diffusion.image.RgbImage;

/// Pixels to draw on: boxes, pictures with round corners, and single pixels at a coverage. Drawing outside it is cut
/// off. One thread.
public final class PixelCanvas {
    private static final int SUBPIXELS = 4;
    /// One part of black in so many.
    private static final int EDGE_DIVISOR = 10;

    private final int width;
    private final int height;
    private final int[] pixels;

    public PixelCanvas(int width, int height, int rgb) {
        RgbImage background = RgbImage.filled(width, height, rgb);
        this.width = width;
        this.height = height;
        this.pixels = background.argb();
    }

    /// A rectangle by its upper left corner and size.
    public record Box(int x, int y, int width, int height) {}

    public void fill(Box box, int rgb) {
        for (int y = box.y; y < box.y + box.height; y++) {
            for (int x = box.x; x < box.x + box.width; x++) blend(x, y, rgb, 255);
        }
    }

    /// Mixes a colour into a pixel; coverage 0 leaves it, 255 replaces it.
    void blend(int x, int y, int rgb, int coverage) {
        if (x < 0 || y < 0 || x >= width || y >= height || coverage == 0) return;
        int background = pixels[y * width + x];
        int mixed = 0xFF000000;
        for (int shift = 0; shift <= 16; shift += 8) {
            int level = (rgb >> shift & 0xFF) * coverage + (background >> shift & 0xFF) * (255 - coverage);
            mixed |= (level + 127) / 255 << shift;
        }
        pixels[y * width + x] = mixed;
    }

    /// Draws a picture in its own size with its upper left corner at (x, y), with round corners and an edge so faint
    /// that only white needs it.
    public void image(RgbImage source, int x, int y, int radius) {
        for (int row = 0; row < source.height(); row++) {
            for (int column = 0; column < source.width(); column++) {
                int across = Math.min(column, source.width() - 1 - column);
                int down = Math.min(row, source.height() - 1 - row);
                int outer = coverage(across, down, radius);
                blend(x + column, y + row, source.argb()[row * source.width() + column] & 0xFFFFFF, outer);
                int inner = across == 0 || down == 0 ? 0 : coverage(across - 1, down - 1, radius - 1);
                blend(x + column, y + row, 0x000000, (outer - inner) / EDGE_DIVISOR);
            }
        }
    }

    /// A round spot around a point.
    public void disc(double x, double y, double radius, int rgb) {
        for (int row = (int) (y - radius) - 1; row <= y + radius + 1; row++) {
            for (int column = (int) (x - radius) - 1; column <= x + radius + 1; column++)
                blendEdge(column, row, radius - Math.hypot(column - x, row - y), rgb);
        }
    }

    /// A straight line of some width from one point to another.
    public void line(LineSegment segment, double width, int rgb) {
        double length = Math.hypot(segment.toX - segment.x, segment.toY - segment.y);
        if (length == 0) return;
        for (int row = (int) (Math.min(segment.y, segment.toY) - width) - 1;
                row <= Math.max(segment.y, segment.toY) + width + 1; row++) {
            for (int column = (int) (Math.min(segment.x, segment.toX) - width) - 1;
                    column <= Math.max(segment.x, segment.toX) + width + 1; column++) {
                double along = Math.clamp(((column - segment.x) * (segment.toX - segment.x)
                        + (row - segment.y) * (segment.toY - segment.y)) / length / length, 0, 1);
                double distance = Math.hypot(column - segment.x - along * (segment.toX - segment.x),
                        row - segment.y - along * (segment.toY - segment.y));
                blendEdge(column, row, width / 2 - distance, rgb);
            }
        }
    }

    /// From one point to another.
    public record LineSegment(double x, double y, double toX, double toY) {}

    /// A pixel whose centre lies so far inside an edge (outside, where negative).
    private void blendEdge(int x, int y, double inside, int rgb) {
        blend(x, y, rgb, (int) Math.round(255 * Math.clamp(inside + 0.5, 0, 1)));
    }

    /// How much of a pixel lies inside a corner's quarter circle, 0 to 255, by its distances from the two edges.
    private static int coverage(int across, int down, int radius) {
        if (across >= radius || down >= radius) return 255;
        int inside = 0;
        for (int i = 0; i < SUBPIXELS * SUBPIXELS; i++) {
            double dx = radius - across - (i % SUBPIXELS + 0.5) / SUBPIXELS;
            double dy = radius - down - (i / SUBPIXELS + 0.5) / SUBPIXELS;
            if (dx * dx + dy * dy <= (double) radius * radius) inside++;
        }
        return inside * 255 / (SUBPIXELS * SUBPIXELS);
    }

    public RgbImage image() {
        return new RgbImage(width, height, pixels);
    }
}

package atomstudio.app.generate;

import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.Resampling;
import atomstudio.diffusion.image.RgbImage;
import java.util.Arrays;
import java.util.Optional;

/// The pixels of a mask that is being painted. Not thread-safe.
final class PaintedMask {
    enum BrushMode { PAINT, ERASE }

    private final int width;
    private final int height;
    private final boolean[] painted;

    PaintedMask(int width, int height) {
        this.width = width;
        this.height = height;
        this.painted = new boolean[width * height];
    }

    /// A canvas with the image's aspect ratio, initialized with an existing mask.
    /// @param longerSide in pixels
    static PaintedMask of(RgbImage image, Optional<Mask> mask, int longerSide) {
        double scale = (double) longerSide / Math.max(image.width(), image.height());
        PaintedMask result = new PaintedMask(Math.max(1, (int) Math.round(image.width() * scale)),
                Math.max(1, (int) Math.round(image.height() * scale)));
        mask.ifPresent(existing -> {
            RgbImage grey = existing.grayscale().resize(result.width, result.height, Resampling.BILINEAR);
            for (int i = 0; i < result.painted.length; i++) result.painted[i] = (grey.argb()[i] & 0xFF) >= 128;
        });
        return result;
    }

    int width() {
        return width;
    }

    int height() {
        return height;
    }

    boolean isPainted(int x, int y) {
        return painted[y * width + x];
    }

    /// A straight stroke with a round brush.
    void stroke(double fromX, double fromY, double toX, double toY, BrushTip tip) {
        double length = Math.hypot(toX - fromX, toY - fromY);
        int dots = 1 + (int) Math.ceil(length / Math.max(1, tip.radius / 3));
        for (int i = 0; i <= dots; i++)
            paintDot(fromX + (toX - fromX) * i / dots, fromY + (toY - fromY) * i / dots, tip);
    }

    /// @param radius in pixels of the canvas
    record BrushTip(double radius, BrushMode mode) {}

    private void paintDot(double x, double y, BrushTip tip) {
        for (int row = Math.max(0, (int) (y - tip.radius)); row <= Math.min(height - 1, (int) (y + tip.radius));
                row++) {
            for (int column = Math.max(0, (int) (x - tip.radius));
                    column <= Math.min(width - 1, (int) (x + tip.radius)); column++) {
                if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= tip.radius)
                    painted[row * width + column] = tip.mode == BrushMode.PAINT;
            }
        }
    }

    void clear() {
        Arrays.fill(painted, false);
    }

    /// Empty if nothing is painted.
    Optional<Mask> toMask() {
        int[] argb = new int[painted.length];
        boolean anyPainted = false;
        for (int i = 0; i < argb.length; i++) {
            argb[i] = painted[i] ? 0xFFFFFFFF : 0xFF000000;
            anyPainted |= painted[i];
        }
        return anyPainted ? Optional.of(new Mask(new RgbImage(width, height, argb))) : Optional.empty();
    }
}

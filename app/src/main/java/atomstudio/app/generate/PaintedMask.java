package atomstudio.app.generate;

import atomstudio.diffusion.picture.Mask;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.Resampling;
import java.util.Arrays;
import java.util.Optional;

/// A mask while it is painted: a sheet of pixels, some of them painted. Not for several threads.
final class PaintedMask {
    /// What a stroke does.
    enum Brush { PAINT, ERASE }

    private final int width;
    private final int height;
    private final boolean[] painted;

    PaintedMask(int width, int height) {
        this.width = width;
        this.height = height;
        this.painted = new boolean[width * height];
    }

    /// A sheet of a picture's proportions, its longer side as long as asked, with the mask that is there already.
    static PaintedMask of(Picture picture, Optional<Mask> mask, int longer) {
        double by = (double) longer / Math.max(picture.width(), picture.height());
        PaintedMask sheet = new PaintedMask(Math.max(1, (int) Math.round(picture.width() * by)), Math.max(1, (int) Math.round(picture.height() * by)));
        mask.ifPresent(there -> {
            Picture grey = there.grey().resize(sheet.width, sheet.height, Resampling.BILINEAR);
            for (int i = 0; i < sheet.painted.length; i++) sheet.painted[i] = (grey.argb()[i] & 0xFF) >= 128;
        });
        return sheet;
    }

    int width() {
        return width;
    }

    int height() {
        return height;
    }

    boolean at(int x, int y) {
        return painted[y * width + x];
    }

    /// A straight stroke with a round brush.
    void stroke(double fromX, double fromY, double toX, double toY, Tip tip) {
        double length = Math.hypot(toX - fromX, toY - fromY);
        int dots = 1 + (int) Math.ceil(length / Math.max(1, tip.radius / 3));
        for (int i = 0; i <= dots; i++) dot(fromX + (toX - fromX) * i / dots, fromY + (toY - fromY) * i / dots, tip);
    }

    /// @param radius in pixels of the sheet
    record Tip(double radius, Brush brush) {}

    private void dot(double x, double y, Tip tip) {
        for (int row = Math.max(0, (int) (y - tip.radius)); row <= Math.min(height - 1, (int) (y + tip.radius)); row++) {
            for (int column = Math.max(0, (int) (x - tip.radius)); column <= Math.min(width - 1, (int) (x + tip.radius)); column++) {
                if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= tip.radius) painted[row * width + column] = tip.brush == Brush.PAINT;
            }
        }
    }

    void clear() {
        Arrays.fill(painted, false);
    }

    /// Empty where nothing is painted.
    Optional<Mask> mask() {
        int[] argb = new int[painted.length];
        boolean any = false;
        for (int i = 0; i < argb.length; i++) {
            argb[i] = painted[i] ? 0xFFFFFFFF : 0xFF000000;
            any |= painted[i];
        }
        return any ? Optional.of(new Mask(new Picture(width, height, argb))) : Optional.empty();
    }
}

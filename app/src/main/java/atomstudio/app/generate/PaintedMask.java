package atomstudio.app.generate;

import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.Resampling;
import atomstudio.diffusion.image.RgbImage;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.Optional;

/// The pixels of a mask that is being painted, with undo and redo of strokes. Not thread-safe.
final class PaintedMask {
    enum BrushMode { PAINT, ERASE }

    /// @param radius in pixels of the canvas
    record BrushTip(double radius, BrushMode mode) {}

    /// Pixels that have changed, as a rectangle within the canvas.
    record Area(int x, int y, int width, int height) {
        static final Area NONE = new Area(0, 0, 0, 0);
    }

    private final int width;
    private final int height;
    private final Deque<BitSet> undone = new ArrayDeque<>();
    private final Deque<BitSet> before = new ArrayDeque<>();
    private BitSet painted;

    PaintedMask(int width, int height) {
        this.width = width;
        this.height = height;
        painted = new BitSet(width * height);
    }

    /// A canvas with the image's aspect ratio, initialized with an existing mask.
    /// @param longerSide in pixels
    static PaintedMask of(RgbImage image, Optional<Mask> mask, int longerSide) {
        double scale = (double) longerSide / Math.max(image.width(), image.height());
        PaintedMask result = new PaintedMask(Math.max(1, (int) Math.round(image.width() * scale)),
                Math.max(1, (int) Math.round(image.height() * scale)));
        mask.ifPresent(existing -> {
            int[] grey = existing.grayscale().resize(result.width, result.height, Resampling.BILINEAR).argb();
            for (int i = 0; i < grey.length; i++) result.painted.set(i, (grey[i] & 0xFF) >= 128);
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
        return painted.get(y * width + x);
    }

    Area all() {
        return new Area(0, 0, width, height);
    }

    /// Begins a stroke, which is undone as a whole.
    void beginStroke() {
        before.push((BitSet) painted.clone());
        undone.clear();
    }

    /// A straight part of a stroke with a round brush.
    /// @return the pixels that may have changed
    Area stroke(double fromX, double fromY, double toX, double toY, BrushTip tip) {
        double length = Math.hypot(toX - fromX, toY - fromY);
        int dots = 1 + (int) Math.ceil(length / Math.max(1, tip.radius / 3));
        for (int i = 0; i <= dots; i++)
            paintDot(fromX + (toX - fromX) * i / dots, fromY + (toY - fromY) * i / dots, tip);
        int left = clampX(Math.min(fromX, toX) - tip.radius);
        int top = clampY(Math.min(fromY, toY) - tip.radius);
        return new Area(left, top, clampX(Math.max(fromX, toX) + tip.radius + 1) - left,
                clampY(Math.max(fromY, toY) + tip.radius + 1) - top);
    }

    private int clampX(double x) {
        return Math.clamp((long) Math.floor(x), 0, width);
    }

    private int clampY(double y) {
        return Math.clamp((long) Math.floor(y), 0, height);
    }

    private void paintDot(double x, double y, BrushTip tip) {
        for (int row = clampY(y - tip.radius); row < clampY(y + tip.radius + 1); row++) {
            double fromCentre = row + 0.5 - y;
            double half = Math.sqrt(tip.radius * tip.radius - fromCentre * fromCentre);
            if (Double.isNaN(half)) continue;
            int from = clampX(Math.ceil(x - half - 0.5));
            int to = clampX(Math.floor(x + half - 0.5) + 1);
            if (from < to) painted.set(row * width + from, row * width + to, tip.mode == BrushMode.PAINT);
        }
    }

    /// Removes everything; can be undone.
    void clear() {
        if (painted.isEmpty()) return;
        beginStroke();
        painted.clear();
    }

    boolean canUndo() { return !before.isEmpty(); }

    boolean canRedo() { return !undone.isEmpty(); }

    void undo() {
        if (!canUndo()) return;
        undone.push(painted);
        painted = before.pop();
    }

    void redo() {
        if (!canRedo()) return;
        before.push(painted);
        painted = undone.pop();
    }

    /// Returns to the state before the first stroke; redo repeats the strokes.
    void undoAll() {
        while (canUndo()) undo();
    }

    /// Empty if nothing is painted.
    Optional<Mask> toMask() {
        if (painted.isEmpty()) return Optional.empty();
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++) argb[i] = painted.get(i) ? 0xFFFFFFFF : 0xFF000000;
        return Optional.of(new Mask(new RgbImage(width, height, argb)));
    }
}

package atomstudio.diffusion.picture;

import java.io.IOException;
import java.nio.file.Path;

/// How the camera was held: what to do to the stored pixels to see the picture upright. Order as in EXIF, from 1.
/// Source: CIPA DC-008 (Exif 2.32), tag 0x0112.
enum Orientation {
    UPRIGHT(false, false, false), MIRRORED(false, true, false), UPSIDE_DOWN(false, true, true), FLIPPED(false, false, true),
    TRANSPOSED(true, false, false), CLOCKWISE(true, false, true), TRANSVERSED(true, true, true), COUNTER_CLOCKWISE(true, true, false);

    private final boolean swapped;
    private final boolean fromRight;
    private final boolean fromBottom;

    /// Whether rows become columns; whether the stored x and y run backwards as seen from the upright picture.
    Orientation(boolean swapped, boolean fromRight, boolean fromBottom) {
        this.swapped = swapped;
        this.fromRight = fromRight;
        this.fromBottom = fromBottom;
    }

    /// As the file says; upright where it says nothing, or nothing that makes sense: a picture with odd metadata is still a picture.
    static Orientation of(Path file, ImageFormat format) throws IOException {
        return Exif.orientation(file, format).map(value -> values()[value - 1]).orElse(UPRIGHT);
    }

    RgbImage apply(RgbImage stored) {
        if (this == UPRIGHT) return stored;
        int width = swapped ? stored.height() : stored.width();
        int height = swapped ? stored.width() : stored.height();
        int[] upright = new int[width * height];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int across = swapped ? y : x;
                int down = swapped ? x : y;
                int storedX = fromRight ? stored.width() - 1 - across : across;
                int storedY = fromBottom ? stored.height() - 1 - down : down;
                upright[y * width + x] = stored.argb()[storedY * stored.width() + storedX];
            }
        }
        return new RgbImage(width, height, upright);
    }
}

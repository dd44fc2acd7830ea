package atomstudio.app.dataset;

import atomstudio.diffusion.image.RgbImage;
import java.util.List;

/// What is measured of a training photo, to warn of photos that harm a run. Thresholds were measured on 60
/// illustrations of ten subjects and 20 photos of four (docs/decisions/photos.md).
/// @param hash      difference hash of 9 × 8 gray values, for near duplicates
/// @param sharpness variance of the Laplacian of the gray values, the shorter side reduced to 256 pixels
/// @param flatShare share of pixels that equal their neighbours, high in illustrations
public record PhotoCheck(int width, int height, long hash, double sharpness, double flatShare) {
    private static final int SIDE = 256;
    private static final double BLURRED_BELOW = 35;
    private static final int DUPLICATE_BITS = 6;
    private static final double ILLUSTRATION_FROM = 0.28;
    /// Difference of a color channel, of 255.
    private static final int FLAT_DIFFERENCE = 1;

    public static PhotoCheck of(RgbImage image) {
        Gray gray = Gray.of(reduced(image.toOpaque()));
        return new PhotoCheck(image.width(), image.height(), hash(image.toOpaque()), gray.laplacianVariance(),
                flatShare(reduced(image.toOpaque())));
    }

    public boolean isBlurred() { return sharpness < BLURRED_BELOW; }

    /// @param resolution that is trained on
    public boolean isTooSmall(int resolution) {
        return Math.min(width, height) < resolution;
    }

    /// Whether it is the same photo, perhaps resized, compressed or slightly cropped.
    public boolean isDuplicateOf(PhotoCheck other) {
        return Long.bitCount(hash ^ other.hash) <= DUPLICATE_BITS;
    }

    /// Whether most of these are photos rather than illustrations.
    public static boolean arePhotographs(List<PhotoCheck> checks) {
        List<Double> shares = checks.stream().map(PhotoCheck::flatShare).sorted().toList();
        return !shares.isEmpty() && shares.get(shares.size() / 2) < ILLUSTRATION_FROM;
    }

    private static RgbImage reduced(RgbImage image) {
        int shorter = Math.min(image.width(), image.height());
        if (shorter <= SIDE) return image;
        return image.resize(Math.max(SIDE, Math.round((float) image.width() * SIDE / shorter)),
                Math.max(SIDE, Math.round((float) image.height() * SIDE / shorter)));
    }

    private static long hash(RgbImage image) {
        Gray gray = Gray.of(image.resize(9, 8));
        long hash = 0;
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 8; x++) hash = hash << 1 | (gray.at(x, y) < gray.at(x + 1, y) ? 1 : 0);
        return hash;
    }

    private static double flatShare(RgbImage image) {
        int flat = 0;
        int[] pixels = image.argb();
        int width = image.width();
        int compared = (width - 1) * (image.height() - 1);
        for (int y = 0; y < image.height() - 1; y++) {
            for (int x = 0; x < width - 1; x++) {
                int at = y * width + x;
                if (difference(pixels[at], pixels[at + 1]) <= FLAT_DIFFERENCE
                        && difference(pixels[at], pixels[at + width]) <= FLAT_DIFFERENCE)
                    flat++;
            }
        }
        return compared == 0 ? 1 : (double) flat / compared;
    }

    /// The largest difference of a channel.
    private static int difference(int a, int b) {
        int largest = 0;
        for (int shift = 0; shift < 24; shift += 8)
            largest = Math.max(largest, Math.abs((a >> shift & 255) - (b >> shift & 255)));
        return largest;
    }

    private record Gray(int width, int height, double[] values) {
        static Gray of(RgbImage image) {
            double[] values = new double[image.argb().length];
            for (int i = 0; i < values.length; i++) {
                int pixel = image.argb()[i];
                values[i] = 0.299 * (pixel >> 16 & 255) + 0.587 * (pixel >> 8 & 255) + 0.114 * (pixel & 255);
            }
            return new Gray(image.width(), image.height(), values);
        }

        double at(int x, int y) {
            return values[y * width + x];
        }

        double laplacianVariance() {
            double sum = 0;
            double squares = 0;
            int count = 0;
            for (int y = 1; y < height - 1; y++) {
                for (int x = 1; x < width - 1; x++) {
                    double value = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4 * at(x, y);
                    sum += value;
                    squares += value * value;
                    count++;
                }
            }
            return count == 0 ? 0 : squares / count - sum / count * (sum / count);
        }
    }
}

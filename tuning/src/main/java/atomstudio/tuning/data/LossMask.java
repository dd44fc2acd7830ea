package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.config.TrainingConfig;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/// The weight of a photo's pixels in the loss as a grayscale image: white counts, black does not.
record LossMask(RgbImage grayscale) {
    /// A mask with a smaller mean is treated as empty.
    private static final double MIN_COVERAGE = 1e-3;

    /// @throws Failure.Incompatible when it is of another size than its photo
    static LossMask read(Path file, Path photoFile, RgbImage photo) throws Failure {
        RgbImage mask = ImageFiles.read(file);
        if (mask.width() != photo.width() || mask.height() != photo.height()) {
            throw new Failure.Incompatible(file + ": expected a mask of its photo's size, " + photo.width() + "x"
                    + photo.height() + " (" + photoFile.getFileName() + "), found "
                    + mask.width() + "x" + mask.height() + "; scale it to that size");
        }
        return new LossMask(grayscale(mask, LossMask::luminance));
    }

    /// The alpha channel of a photo with transparency.
    static Optional<LossMask> ofAlpha(RgbImage photo) {
        return photo.hasTransparency() ? Optional.of(new LossMask(grayscale(photo, pixel -> pixel >>> 24)))
                : Optional.empty();
    }

    /// Mean weight, 0 to 1.
    double coverage() {
        double sum = 0;
        for (int pixel : grayscale.argb()) sum += pixel & 0xFF;
        return sum / 255 / grayscale.argb().length;
    }

    /// @throws Failure.Incompatible when everything is masked out
    void requireNonEmpty(Path file, TrainingConfig.CropMode crop) throws Failure {
        if (coverage() >= MIN_COVERAGE) return;
        throw new Failure.Incompatible(file + ": everything is masked out" + switch (crop) {
            case CENTRE ->
                    " within the centre square, so that nothing is left to train on; check the mask (white counts), "
                            + "or train on whole photos (crop: whole)";
            case RANDOM, WHOLE -> ", so that nothing is left to train on; check the mask (white counts)";
        });
    }

    /// The weights of the latent pixels (1, 1, H/factor, W/factor): means of the mask's pixels, normalized to mean 1.
    Tensor latentWeights(int factor) {
        int width = grayscale.width() / factor;
        int height = grayscale.height() / factor;
        float[] weights = new float[width * height];
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            weights[i] = mean(i % width * factor, i / width * factor, factor);
            sum += weights[i];
        }
        for (int i = 0; i < weights.length; i++) weights[i] *= (float) (weights.length / sum);
        return new Tensor(Shape.of(1, 1, height, width), weights);
    }

    private float mean(int left, int top, int side) {
        int sum = 0;
        for (int y = top; y < top + side; y++)
            for (int x = left; x < left + side; x++) sum += grayscale.argb()[y * grayscale.width() + x] & 0xFF;
        return sum / 255f / (side * side);
    }

    private static int luminance(int pixel) {
        int luma = (299 * (pixel >> 16 & 0xFF) + 587 * (pixel >> 8 & 0xFF) + 114 * (pixel & 0xFF) + 500) / 1000;
        return luma * (pixel >>> 24) / 255;
    }

    private static RgbImage grayscale(RgbImage image, IntUnaryOperator value) {
        int[] argb = new int[image.argb().length];
        for (int i = 0; i < argb.length; i++) argb[i] = 0xFF000000 | 0x010101 * value.applyAsInt(image.argb()[i]);
        return new RgbImage(image.width(), image.height(), argb);
    }
}

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

/// What of a picture counts, as a grey picture: white does, black does not.
record LossMask(RgbImage grayscale) {
    /// A picture whose mask covers less of it than this shows nothing of the subject.
    private static final double MIN_COVERAGE = 1e-3;

    /// @throws Failure.Incompatible when it is of another size than its picture
    static LossMask read(Path file, Path photoFile, RgbImage photo) throws Failure {
        RgbImage mask = ImageFiles.read(file);
        if (mask.width() != photo.width() || mask.height() != photo.height()) {
            throw new Failure.Incompatible(file + ": expected a mask of its picture's size, " + photo.width() + "x"
                    + photo.height() + " (" + photoFile.getFileName() + "), found "
                    + mask.width() + "x" + mask.height() + "; scale it to that size");
        }
        return new LossMask(grayscale(mask, LossMask::luminance));
    }

    /// The alpha channel of a picture that is transparent somewhere.
    static Optional<LossMask> ofAlpha(RgbImage photo) {
        return photo.hasTransparency() ? Optional.of(new LossMask(grayscale(photo, pixel -> pixel >>> 24)))
                : Optional.empty();
    }

    /// How much of the picture counts, 0 to 1.
    double coverage() {
        double sum = 0;
        for (int pixel : grayscale.argb()) sum += pixel & 0xFF;
        return sum / 255 / grayscale.argb().length;
    }

    /// @throws Failure.Incompatible when nothing is left of what the mask of a prepared picture lets through
    void requireNonEmpty(Path file, TrainingConfig.CropMode crop) throws Failure {
        if (coverage() >= MIN_COVERAGE) return;
        throw new Failure.Incompatible(file + ": everything is masked out" + switch (crop) {
            case CENTRE ->
                    " within the centre square, so that nothing is left to train on; check the mask (white counts), or take the whole picture with --crop whole";
            case RANDOM, WHOLE -> ", so that nothing is left to train on; check the mask (white counts)";
        });
    }

    /// The weights of the latent pixels (1,1,H/factor,W/factor), means of the mask's pixels, whose own mean is 1.
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

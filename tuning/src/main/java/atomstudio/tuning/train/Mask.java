package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.ImageFiles;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/// What of a picture counts, as a grey picture: white does, black does not.
record Mask(RgbImage grey) {
    /// A picture whose mask covers less of it than this shows nothing of the subject.
    private static final double LEAST = 1e-3;

    /// @throws Failure.Incompatible when it is of another size than its picture
    static Mask read(Path file, Path of, RgbImage picture) throws Failure {
        RgbImage mask = ImageFiles.read(file);
        if (mask.width() != picture.width() || mask.height() != picture.height()) {
            throw new Failure.Incompatible(file + ": expected a mask of its picture's size, " + picture.width() + "x" + picture.height() + " (" + of.getFileName() + "), found "
                    + mask.width() + "x" + mask.height() + "; scale it to that size");
        }
        return new Mask(grey(mask, Mask::luminance));
    }

    /// The alpha channel of a picture that is transparent somewhere.
    static Optional<Mask> alpha(RgbImage picture) {
        return picture.hasTransparency() ? Optional.of(new Mask(grey(picture, pixel -> pixel >>> 24))) : Optional.empty();
    }

    /// How much of the picture counts, 0 to 1.
    double area() {
        double sum = 0;
        for (int pixel : grey.argb()) sum += pixel & 0xFF;
        return sum / 255 / grey.argb().length;
    }

    /// @throws Failure.Incompatible when nothing is left of what the mask of a prepared picture lets through
    void requireSomething(Path file, Recipe.Crop crop) throws Failure {
        if (area() >= LEAST) return;
        throw new Failure.Incompatible(file + ": everything is masked out" + switch (crop) {
            case CENTRE -> " within the centre square, so that nothing is left to train on; check the mask (white counts), or take the whole picture with --crop whole";
            case RANDOM, WHOLE -> ", so that nothing is left to train on; check the mask (white counts)";
        });
    }

    /// The weights of the latent pixels (1,1,H/factor,W/factor), means of the mask's pixels, whose own mean is 1.
    Tensor weights(int factor) {
        int width = grey.width() / factor;
        int height = grey.height() / factor;
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
        for (int y = top; y < top + side; y++) for (int x = left; x < left + side; x++) sum += grey.argb()[y * grey.width() + x] & 0xFF;
        return sum / 255f / (side * side);
    }

    private static int luminance(int pixel) {
        int light = (299 * (pixel >> 16 & 0xFF) + 587 * (pixel >> 8 & 0xFF) + 114 * (pixel & 0xFF) + 500) / 1000;
        return light * (pixel >>> 24) / 255;
    }

    private static RgbImage grey(RgbImage picture, IntUnaryOperator value) {
        int[] argb = new int[picture.argb().length];
        for (int i = 0; i < argb.length; i++) argb[i] = 0xFF000000 | 0x010101 * value.applyAsInt(picture.argb()[i]);
        return new RgbImage(picture.width(), picture.height(), argb);
    }
}

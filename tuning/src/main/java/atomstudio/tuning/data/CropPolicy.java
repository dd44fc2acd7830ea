package atomstudio.tuning.data;

import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.config.TrainingConfig;

/// How photos are cropped and resized for training. The aspect ratio of the content changes by at most a pixel's
/// rounding.
/// @param resolution   side of the square that is trained on, in pixels
/// @param latentFactor pixels per latent pixel; all sides are multiples of it
public record CropPolicy(TrainingConfig.CropMode mode, int resolution, int latentFactor) {
    /// Longest aspect ratio that is kept for random crops; more would only cost time and memory to encode.
    private static final int MAX_ASPECT_RATIO = 2;

    /// Crops and resizes a photo or its mask.
    RgbImage apply(RgbImage image) {
        return switch (mode) {
            case CENTRE -> image.centerSquare(resolution);
            case RANDOM -> cropAndResize(image, targetSide(image.width(), image.height()),
                    targetSide(image.height(), image.width()));
            case WHOLE -> keepShape(image);
        };
    }

    /// The shorter side becomes the resolution; the longer one follows.
    private int targetSide(int side, int other) {
        return side <= other ? resolution
                : Math.min(MAX_ASPECT_RATIO * resolution, roundToLatents(resolution * (double) side / other));
    }

    /// As many pixels as the square, in the photo's aspect ratio.
    private RgbImage keepShape(RgbImage image) {
        double ratio = Math.sqrt((double) image.width() / image.height());
        return cropAndResize(image, roundToLatents(resolution * ratio), roundToLatents(resolution / ratio));
    }

    private int roundToLatents(double side) {
        return Math.max(latentFactor, Math.toIntExact(Math.round(side / latentFactor) * latentFactor));
    }

    /// The largest centred part of the aspect ratio width : height, resized to it.
    private static RgbImage cropAndResize(RgbImage image, int width, int height) {
        int cropWidth = Math.clamp(Math.round((double) image.height() * width / height), 1, image.width());
        int cropHeight = Math.clamp(Math.round((double) image.width() * height / width), 1, image.height());
        return image.crop((image.width() - cropWidth) / 2, (image.height() - cropHeight) / 2, cropWidth, cropHeight)
                .resize(width, height);
    }
}

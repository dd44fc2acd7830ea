package atomstudio.tuning.train;

import atomstudio.diffusion.picture.RgbImage;

/// Which part of a picture is prepared for training, and how large. Nothing is stretched by more than a pixel's rounding.
/// @param size   side of the square that training sees, in pixels
/// @param factor pixels to a latent pixel, which all sides are multiples of
record Framing(Recipe.Crop crop, int size, int factor) {
    /// A long picture is kept this many squares long for random crops; more would only cost time and memory to encode.
    private static final int LONGEST = 2;

    /// The picture as it is prepared; a mask goes through the same as its picture.
    RgbImage apply(RgbImage picture) {
        return switch (crop) {
            case CENTRE -> picture.centerSquare(size);
            case RANDOM -> cover(picture, along(picture.width(), picture.height()), along(picture.height(), picture.width()));
            case WHOLE -> whole(picture);
        };
    }

    /// The shorter side is the square's; the longer one follows.
    private int along(int side, int other) {
        return side <= other ? size : Math.min(LONGEST * size, rounded(size * (double) side / other));
    }

    /// As many pixels as the square, in the picture's own shape.
    private RgbImage whole(RgbImage picture) {
        double ratio = Math.sqrt((double) picture.width() / picture.height());
        return cover(picture, rounded(size * ratio), rounded(size / ratio));
    }

    private int rounded(double side) {
        return Math.max(factor, Math.toIntExact(Math.round(side / factor) * factor));
    }

    /// The largest centred part of the shape width : height, scaled to it.
    private static RgbImage cover(RgbImage picture, int width, int height) {
        int partWidth = Math.clamp(Math.round((double) picture.height() * width / height), 1, picture.width());
        int partHeight = Math.clamp(Math.round((double) picture.width() * height / width), 1, picture.height());
        return picture.crop((picture.width() - partWidth) / 2, (picture.height() - partHeight) / 2, partWidth, partHeight).resize(width, height);
    }
}

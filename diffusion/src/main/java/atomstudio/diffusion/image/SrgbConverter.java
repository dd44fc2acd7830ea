package atomstudio.diffusion.image;

import java.awt.color.CMMException;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.ColorConvertOp;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.util.Optional;

/// Converts decoded images of any colour model to sRGB.
final class SrgbConverter {
    /// A gAMA chunk outside this range is ignored.
    private static final double MIN_GAMMA = 0.1;
    private static final double MAX_GAMMA = 10;
    private static final double GAMMA_TOLERANCE = 0.05;

    private SrgbConverter() {}

    static RgbImage convert(BufferedImage image) {
        ColorModel model = image.getColorModel();
        if (model instanceof ComponentColorModel && isGrey(model)) return fromGrey(image);
        if (model instanceof IndexColorModel || model.getColorSpace().isCS_sRGB()) return fromRgb(image);
        BufferedImage converted = new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_INT_ARGB);
        try {
            new ColorConvertOp(null).filter(image, converted);
        } catch (CMMException | IllegalArgumentException unusableProfile) {
            return fromRgb(image);
        }
        return fromRgb(converted);
    }

    /// Reads an ICC profile; empty if it is unusable, as many embedded ones are.
    static Optional<ICC_Profile> readProfile(byte[] bytes) {
        try {
            ICC_Profile profile = ICC_Profile.getInstance(bytes);
            // A profile with a valid header and invalid tables fails only when a colour is converted.
            ICC_ColorSpace space = new ICC_ColorSpace(profile);
            space.toRGB(new float[space.getNumComponents()]);
            return Optional.of(profile);
        } catch (CMMException | IllegalArgumentException | ArrayIndexOutOfBoundsException unusable) {
            return Optional.empty();
        }
    }

    /// Converts a PNG from its declared colour space.
    static RgbImage fromPng(PngChunks.ColourSpace colour, RgbImage image) {
        if (colour.profile().isPresent()) return applyProfile(colour.profile().get(), image);
        return colour.gamma().isPresent() ? applyGamma(colour.gamma().getAsDouble(), image) : image;
    }

    /// Converts an image from the colour space of an RGB profile, or of a grey profile if the image is grey. Other
    /// profiles are ignored.
    static RgbImage applyProfile(ICC_Profile profile, RgbImage image) {
        return switch (profile.getColorSpaceType()) {
            case ColorSpace.TYPE_RGB -> applyRgbProfile(profile, image);
            case ColorSpace.TYPE_GRAY -> applyGreyProfile(profile, image);
            default -> image;
        };
    }

    private static RgbImage applyRgbProfile(ICC_Profile profile, RgbImage source) {
        ColorModel model = new ComponentColorModel(new ICC_ColorSpace(profile), true, false, ColorModel.TRANSLUCENT,
                DataBuffer.TYPE_BYTE);
        BufferedImage image = new BufferedImage(model,
                model.createCompatibleWritableRaster(source.width(), source.height()), false, null);
        int[] samples = new int[4 * source.width()];
        for (int y = 0; y < source.height(); y++) {
            for (int x = 0; x < source.width(); x++) {
                int pixel = source.argb()[y * source.width() + x];
                samples[4 * x] = pixel >> 16 & 0xFF;
                samples[4 * x + 1] = pixel >> 8 & 0xFF;
                samples[4 * x + 2] = pixel & 0xFF;
                samples[4 * x + 3] = pixel >>> 24;
            }
            image.getRaster().setPixels(0, y, source.width(), 1, samples);
        }
        BufferedImage converted = new BufferedImage(source.width(), source.height(), BufferedImage.TYPE_INT_ARGB);
        try {
            new ColorConvertOp(null).filter(image, converted);
        } catch (CMMException | IllegalArgumentException unusableProfile) {
            return source;
        }
        return fromRgb(converted);
    }

    /// Converts each of the 256 grey levels once.
    private static RgbImage applyGreyProfile(ICC_Profile profile, RgbImage image) {
        int[] levels = new int[256];
        try {
            ICC_ColorSpace space = new ICC_ColorSpace(profile);
            for (int level = 0; level < levels.length; level++)
                levels[level] = Math.round(255 * space.toRGB(new float[] {level / 255f})[1]);
        } catch (CMMException | IllegalArgumentException unusableProfile) {
            return image;
        }
        for (int pixel : image.argb())
            if ((pixel >> 16 & 0xFF) != (pixel & 0xFF) || (pixel >> 8 & 0xFF) != (pixel & 0xFF)) return image;
        return mapLevels(levels, image);
    }

    /// Converts from samples that are linear light to the power of `gamma` (gAMA); 0.45 is treated as sRGB.
    /// Source: W3C, Portable Network Graphics (Third Edition), 11.3.2.2 and 13.13.
    private static RgbImage applyGamma(double gamma, RgbImage image) {
        if (gamma < MIN_GAMMA || gamma > MAX_GAMMA || Math.abs(gamma * 2.2 - 1) < GAMMA_TOLERANCE) return image;
        int[] levels = new int[256];
        for (int level = 0; level < levels.length; level++) {
            double light = Math.pow(level / 255.0, 1 / gamma);
            levels[level] = (int) Math
                    .round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * Math.pow(light, 1 / 2.4) - 0.055));
        }
        return mapLevels(levels, image);
    }

    private static RgbImage mapLevels(int[] levels, RgbImage image) {
        int[] argb = new int[image.argb().length];
        for (int i = 0; i < argb.length; i++) {
            int pixel = image.argb()[i];
            argb[i] = pixel & 0xFF000000 | levels[pixel >> 16 & 0xFF] << 16 | levels[pixel >> 8 & 0xFF] << 8
                    | levels[pixel & 0xFF];
        }
        return new RgbImage(image.width(), image.height(), argb);
    }

    private static RgbImage fromRgb(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        return new RgbImage(width, height, image.getRGB(0, 0, width, height, null, 0, width));
    }

    private static boolean isGrey(ColorModel model) {
        return model.getColorSpace().getType() == ColorSpace.TYPE_GRAY
                && model.getTransferType() != DataBuffer.TYPE_FLOAT
                && model.getTransferType() != DataBuffer.TYPE_DOUBLE
                && (model.getColorSpace().equals(ColorSpace.getInstance(ColorSpace.CS_GRAY))
                        || !(model.getColorSpace() instanceof ICC_ColorSpace));
    }

    /// Copies grey samples unconverted: Java's grey colour space is linear light, whose conversion would brighten the
    /// image.
    private static RgbImage fromGrey(BufferedImage image) {
        Raster raster = image.getRaster();
        int width = image.getWidth();
        int height = image.getHeight();
        long largest = (1L << image.getColorModel().getComponentSize(0)) - 1;
        boolean alpha = image.getColorModel().hasAlpha();
        long largestAlpha = alpha ? (1L << image.getColorModel().getComponentSize(1)) - 1 : 1;
        int[] argb = new int[width * height];
        int[] row = new int[width * raster.getNumBands()];
        for (int y = 0; y < height; y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < width; x++) {
                int level = scaleToByte(row[x * raster.getNumBands()], largest);
                int opacity = alpha ? scaleToByte(row[x * raster.getNumBands() + 1], largestAlpha) : 255;
                argb[y * width + x] = opacity << 24 | level * 0x010101;
            }
        }
        return new RgbImage(width, height, argb);
    }

    private static int scaleToByte(int sample, long largest) {
        return (int) (((sample & 0xFFFFFFFFL) * 255 + largest / 2) / largest);
    }
}

package atomstudio.diffusion.picture;

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

/// Decoded images of any layout as sRGB pixels.
final class Pixels {
    private Pixels() {}

    static Picture of(BufferedImage image) {
        ColorModel model = image.getColorModel();
        if (model instanceof ComponentColorModel && grey(model)) return ofGrey(image);
        if (model instanceof IndexColorModel || model.getColorSpace().isCS_sRGB()) return ofRgb(image);
        BufferedImage converted = new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_INT_ARGB);
        try {
            new ColorConvertOp(null).filter(image, converted);
        } catch (CMMException | IllegalArgumentException unusableProfile) {
            return ofRgb(image);
        }
        return ofRgb(converted);
    }

    /// The same picture with its numbers read as colours of another profile; pictures whose profile is no RGB profile stay as they are.
    static Picture through(ICC_Profile profile, Picture picture) {
        if (profile.getColorSpaceType() != ColorSpace.TYPE_RGB) return picture;
        ColorModel model = new ComponentColorModel(new ICC_ColorSpace(profile), true, false, ColorModel.TRANSLUCENT, DataBuffer.TYPE_BYTE);
        BufferedImage image = new BufferedImage(model, model.createCompatibleWritableRaster(picture.width(), picture.height()), false, null);
        int[] samples = new int[4 * picture.width()];
        for (int y = 0; y < picture.height(); y++) {
            for (int x = 0; x < picture.width(); x++) {
                int pixel = picture.argb()[y * picture.width() + x];
                samples[4 * x] = pixel >> 16 & 0xFF;
                samples[4 * x + 1] = pixel >> 8 & 0xFF;
                samples[4 * x + 2] = pixel & 0xFF;
                samples[4 * x + 3] = pixel >>> 24;
            }
            image.getRaster().setPixels(0, y, picture.width(), 1, samples);
        }
        return of(image);
    }

    private static Picture ofRgb(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        return new Picture(width, height, image.getRGB(0, 0, width, height, null, 0, width));
    }

    private static boolean grey(ColorModel model) {
        return model.getColorSpace().getType() == ColorSpace.TYPE_GRAY && model.getTransferType() != DataBuffer.TYPE_FLOAT
            && model.getTransferType() != DataBuffer.TYPE_DOUBLE && (model.getColorSpace().equals(ColorSpace.getInstance(ColorSpace.CS_GRAY)) || !(model.getColorSpace() instanceof ICC_ColorSpace));
    }

    /// Java takes its own grey space for linear light and would brighten the picture; files mean the numbers as they stand.
    private static Picture ofGrey(BufferedImage image) {
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
                int level = scaled(row[x * raster.getNumBands()], largest);
                int opacity = alpha ? scaled(row[x * raster.getNumBands() + 1], largestAlpha) : 255;
                argb[y * width + x] = opacity << 24 | level * 0x010101;
            }
        }
        return new Picture(width, height, argb);
    }

    private static int scaled(int sample, long largest) {
        return (int) (((sample & 0xFFFFFFFFL) * 255 + largest / 2) / largest);
    }
}

package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;

/// Where a picture is to change: white there, black where it stays, as an opaque grey picture.
public record Mask(RgbImage grey) {
    /// How far inside the mask's edge the new picture comes in fully, in pixels.
    private static final int FEATHER_PIXELS = 4;

    /// From a file: its alpha channel where it is transparent somewhere (what is painted changes), its light otherwise.
    /// @param image the picture it belongs to, in proportions that it must have too
    /// @throws Failure.Incompatible for other proportions, or a mask that lets nothing change
    public static Mask read(Path file, RgbImage image) throws Failure {
        RgbImage maskImage = ImageFiles.read(file);
        if (Math.abs((double) maskImage.width() * image.height() / image.width() - maskImage.height()) > 1
                && Math.abs((double) maskImage.height() * image.width() / image.height() - maskImage.width()) > 1) {
            throw new Failure.Incompatible(file + ": expected a mask of its picture's proportions, " + image.width()
                    + "x" + image.height() + ", found " + maskImage.width() + "x" + maskImage.height()
                    + "; scale or crop it like the picture");
        }
        Mask mask = of(maskImage);
        if (mask.isBlack())
            throw new Failure.Incompatible(
                    file + ": the mask is black all over, so that nothing would change; paint white what is to change");
        return mask;
    }

    /// The alpha channel of a picture that is transparent somewhere, the light of any other.
    public static Mask of(RgbImage image) {
        boolean useAlpha = image.hasTransparency();
        int[] grey = new int[image.argb().length];
        for (int i = 0; i < grey.length; i++) {
            int pixel = image.argb()[i];
            int value = useAlpha ? pixel >>> 24
                    : (299 * (pixel >> 16 & 0xFF) + 587 * (pixel >> 8 & 0xFF) + 114 * (pixel & 0xFF) + 500) / 1000;
            grey[i] = 0xFF000000 | 0x010101 * value;
        }
        return new Mask(new RgbImage(image.width(), image.height(), grey));
    }

    /// Everything changes.
    public static Mask white(int width, int height) {
        return new Mask(RgbImage.filled(width, height, 0xFFFFFF));
    }

    private boolean isBlack() {
        for (int pixel : grey.argb()) if ((pixel & 0xFF) >= 128) return false;
        return true;
    }

    /// The part that fills width × height, as [RgbImage#cropAndResize(int, int)] takes it of the picture.
    public Mask cropAndResize(int width, int height) {
        return new Mask(grey.cropAndResize(width, height, Resampling.BILINEAR));
    }

    /// Whether a pixel changes: from the middle of grey on.
    public boolean isInpainted(int x, int y) {
        return (grey.argb()[y * grey.width() + x] & 0xFF) >= 128;
    }

    /// The latent pixels that change, 0 or 1, as (1,1,h,w): what the first of each latent pixel's pixels says, as in
    /// the reference.
    public Tensor toLatentMask(int factor) {
        int width = grey.width() / factor;
        int height = grey.height() / factor;
        float[] values = new float[width * height];
        for (int i = 0; i < values.length; i++) values[i] = isInpainted(i % width * factor, i / width * factor) ? 1 : 0;
        return new Tensor(Shape.of(1, 1, height, width), values);
    }

    /// The picture (1,3,H,W) with mid grey where it is to change.
    public Tensor maskOut(Tensor image) {
        Tensor masked = new Tensor(image.shape(), image.data().clone());
        int plane = grey.argb().length;
        for (int i = 0; i < masked.data().length; i++)
            if (isInpainted(i % plane % grey.width(), i % plane / grey.width())) masked.data()[i] = 0;
        return masked;
    }

    /// `made` where the picture was to change and `given` everywhere else, untouched. Grey mixes; the edge is a ramp
    /// of a few pixels that lies inside the mask, so that nothing outside it moves.
    public RgbImage blend(RgbImage original, RgbImage generated) {
        int[] weights = feathered();
        int[] mixed = new int[weights.length];
        int maxWeight = 255 * (FEATHER_PIXELS + 1);
        for (int i = 0; i < mixed.length; i++) {
            int pixel = 0xFF000000;
            for (int shift = 0; shift <= 16; shift += 8) {
                int before = original.argb()[i] >> shift & 0xFF;
                int after = generated.argb()[i] >> shift & 0xFF;
                pixel |= (before * (maxWeight - weights[i]) + after * weights[i] + maxWeight / 2) / maxWeight << shift;
            }
            mixed[i] = pixel;
        }
        return new RgbImage(grey.width(), grey.height(), mixed);
    }

    /// Sums of the mask and what is left of it when its edge is worn off by 1, 2, … pixels.
    private int[] feathered() {
        int[] eroded = new int[grey.argb().length];
        for (int i = 0; i < eroded.length; i++) eroded[i] = grey.argb()[i] & 0xFF;
        int[] sum = eroded.clone();
        for (int round = 0; round < FEATHER_PIXELS; round++) {
            eroded = erode(eroded);
            for (int i = 0; i < sum.length; i++) sum[i] += eroded[i];
        }
        return sum;
    }

    /// The least of each pixel and its four neighbours; beyond the picture's edge nothing wears.
    private int[] erode(int[] values) {
        int width = grey.width();
        int[] eroded = values.clone();
        for (int i = 0; i < eroded.length; i++) {
            if (i % width > 0) eroded[i] = Math.min(eroded[i], values[i - 1]);
            if (i % width < width - 1) eroded[i] = Math.min(eroded[i], values[i + 1]);
            if (i >= width) eroded[i] = Math.min(eroded[i], values[i - width]);
            if (i < eroded.length - width) eroded[i] = Math.min(eroded[i], values[i + width]);
        }
        return eroded;
    }
}

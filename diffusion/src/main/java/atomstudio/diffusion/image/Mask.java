package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;

/// An inpainting mask as an opaque grayscale image: white is inpainted, black is kept.
public record Mask(RgbImage grayscale) {
    /// Width of the feathered edge inside the mask, in pixels.
    private static final int FEATHER_PIXELS = 4;

    /// Reads a mask from a file: its alpha channel if any pixel is transparent (painted areas are inpainted), else its
    /// luminance.
    /// @param image the image of the mask, which must have the same aspect ratio
    /// @throws Failure.Incompatible for another aspect ratio, or a black mask
    public static Mask read(Path file, RgbImage image) throws Failure {
        RgbImage maskImage = ImageFiles.read(file);
        if (Math.abs((double) maskImage.width() * image.height() / image.width() - maskImage.height()) > 1
                && Math.abs((double) maskImage.height() * image.width() / image.height() - maskImage.width()) > 1) {
            throw new Failure.Incompatible(file + ": expected a mask of its image's aspect ratio, " + image.width()
                    + "x" + image.height() + ", found " + maskImage.width() + "x" + maskImage.height()
                    + "; scale or crop it like the image");
        }
        Mask mask = of(maskImage);
        if (mask.isBlack())
            throw new Failure.Incompatible(
                    file + ": the mask is completely black, so nothing would change; paint the area to change white");
        return mask;
    }

    /// The alpha channel of an image with transparency, else its luminance.
    public static Mask of(RgbImage image) {
        boolean useAlpha = image.hasTransparency();
        int[] levels = new int[image.argb().length];
        for (int i = 0; i < levels.length; i++) {
            int pixel = image.argb()[i];
            int value = useAlpha ? pixel >>> 24
                    : (299 * (pixel >> 16 & 0xFF) + 587 * (pixel >> 8 & 0xFF) + 114 * (pixel & 0xFF) + 500) / 1000;
            levels[i] = 0xFF000000 | 0x010101 * value;
        }
        return new Mask(new RgbImage(image.width(), image.height(), levels));
    }

    /// A mask that inpaints everything.
    public static Mask white(int width, int height) {
        return new Mask(RgbImage.filled(width, height, 0xFFFFFF));
    }

    private boolean isBlack() {
        for (int pixel : grayscale.argb()) if ((pixel & 0xFF) >= 128) return false;
        return true;
    }

    /// Crops and resizes as [RgbImage#cropAndResize(int, int)] does the image.
    public Mask cropAndResize(int width, int height) {
        return new Mask(grayscale.cropAndResize(width, height, Resampling.BILINEAR));
    }

    /// Whether a pixel is inpainted: from mid grey upward.
    public boolean isInpainted(int x, int y) {
        return (grayscale.argb()[y * grayscale.width() + x] & 0xFF) >= 128;
    }

    /// The mask in latent space, 0 or 1, as (1, 1, H / factor, W / factor): nearest neighbour downsampling, as in
    /// diffusers.
    public Tensor toLatentMask(int factor) {
        int width = grayscale.width() / factor;
        int height = grayscale.height() / factor;
        return Tensor.generate(Shape.of(1, 1, height, width),
                i -> isInpainted(i % width * factor, i / width * factor) ? 1 : 0);
    }

    /// The image (1, 3, H, W) with 0 (mid grey) in the inpainted area: the masked image of inpainting models.
    public Tensor maskOut(Tensor image) {
        int plane = grayscale.argb().length;
        return Tensor.generate(image.shape(),
                i -> isInpainted(i % plane % grayscale.width(), i % plane / grayscale.width()) ? 0 : image.data()[i]);
    }

    /// Composites the generated image over the original. The edge is feathered inside the mask, so pixels outside it
    /// are unchanged.
    public RgbImage blend(RgbImage original, RgbImage generated) {
        int[] weights = featheredWeights();
        int[] blended = new int[weights.length];
        int maxWeight = 255 * (FEATHER_PIXELS + 1);
        for (int i = 0; i < blended.length; i++) {
            int pixel = 0xFF000000;
            for (int shift = 0; shift <= 16; shift += 8) {
                int before = original.argb()[i] >> shift & 0xFF;
                int after = generated.argb()[i] >> shift & 0xFF;
                pixel |= (before * (maxWeight - weights[i]) + after * weights[i] + maxWeight / 2) / maxWeight << shift;
            }
            blended[i] = pixel;
        }
        return new RgbImage(grayscale.width(), grayscale.height(), blended);
    }

    /// The sum of the mask and its erosions by 1 to [#FEATHER_PIXELS] pixels.
    private int[] featheredWeights() {
        int[] eroded = new int[grayscale.argb().length];
        for (int i = 0; i < eroded.length; i++) eroded[i] = grayscale.argb()[i] & 0xFF;
        int[] sum = eroded.clone();
        for (int round = 0; round < FEATHER_PIXELS; round++) {
            eroded = erode(eroded);
            for (int i = 0; i < sum.length; i++) sum[i] += eroded[i];
        }
        return sum;
    }

    /// Erosion by one pixel: the minimum of each pixel and its four neighbours inside the image.
    private int[] erode(int[] values) {
        int width = grayscale.width();
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

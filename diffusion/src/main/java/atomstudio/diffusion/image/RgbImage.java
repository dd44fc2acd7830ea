package atomstudio.diffusion.image;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;

/// An sRGB image on the heap: one ARGB int per pixel, row-major, alpha not premultiplied. The constructor takes
/// ownership of the array; it is not copied.
public record RgbImage(int width, int height, int[] argb) {
    /// The background of transparent pixels: 0 in the range −1..1 of networks.
    private static final int MID_GREY = 128;

    public RgbImage {
        if (width < 1 || height < 1 || argb.length != Math.multiplyExact(width, height)) {
            throw new IllegalArgumentException("image " + width + "x" + height
                    + ": expected at least 1x1 and width x height pixels, found " + argb.length);
        }
    }

    /// An opaque image of one colour, 0xRRGGBB.
    public static RgbImage filled(int width, int height, int rgb) {
        int[] argb = new int[Math.multiplyExact(width, height)];
        Arrays.fill(argb, 0xFF000000 | rgb);
        return new RgbImage(width, height, argb);
    }

    /// Converts a decoder's output (1, 3, H, W), about −1..1; rounded half to even as in diffusers.
    public static RgbImage fromTensor(Tensor tensor) {
        Shape shape = tensor.shape();
        if (shape.rank() != 4 || shape.size(0) != 1 || shape.size(1) != 3) {
            throw new IllegalArgumentException(
                    "image: expected a tensor of shape (1,3,height,width), found " + shape);
        }
        int height = Math.toIntExact(shape.size(2));
        int width = Math.toIntExact(shape.size(3));
        int plane = width * height;
        float[] data = tensor.data();
        int[] argb = new int[plane];
        for (int i = 0; i < plane; i++) {
            argb[i] = 0xFF000000 | toByte(data[i]) << 16 | toByte(data[plane + i]) << 8 | toByte(data[2 * plane + i]);
        }
        return new RgbImage(width, height, argb);
    }

    private static int toByte(float value) {
        return (int) Math.rint(Math.clamp(value / 2 + 0.5f, 0f, 1f) * 255f);
    }

    /// A tensor (1, 3, H, W) in −1..1; transparent pixels are composited over mid grey.
    public Tensor toTensor() {
        int[] pixels = toOpaque().argb;
        int plane = pixels.length;
        float[] data = new float[3 * plane];
        for (int i = 0; i < plane; i++) {
            for (int channel = 0; channel < 3; channel++) {
                data[channel * plane + i] = 2f * ((pixels[i] >> (16 - 8 * channel) & 0xFF) / 255f) - 1f;
            }
        }
        return new Tensor(Shape.of(1, 3, height, width), data);
    }

    /// Composites transparent pixels over mid grey; the same image if there are none.
    public RgbImage toOpaque() {
        if (!hasTransparency()) return this;
        int[] opaque = new int[argb.length];
        for (int i = 0; i < opaque.length; i++) {
            int alpha = argb[i] >>> 24;
            int pixel = 0xFF000000;
            for (int shift = 0; shift <= 16; shift += 8) {
                int mixed = (argb[i] >> shift & 0xFF) * alpha + MID_GREY * (255 - alpha);
                pixel |= (mixed + 127) / 255 << shift;
            }
            opaque[i] = pixel;
        }
        return new RgbImage(width, height, opaque);
    }

    /// Whether any pixel is not opaque.
    public boolean hasTransparency() {
        for (int pixel : argb) if (pixel >>> 24 != 0xFF) return true;
        return false;
    }

    /// Crops the largest centred square and resizes it to size × size. Opaque.
    public RgbImage centerSquare(int size) {
        int side = Math.min(width, height);
        return crop((width - side) / 2, (height - side) / 2, side, side).resize(size, size);
    }

    /// Crops the largest centred part of the aspect ratio width : height and resizes it to width × height. Opaque.
    public RgbImage cropAndResize(int width, int height) {
        return cropAndResize(width, height, Resampling.LANCZOS);
    }

    /// Crops and resizes with the given filter. Opaque.
    public RgbImage cropAndResize(int width, int height, Resampling resampling) {
        int cropWidth = Math.clamp(Math.round((double) this.height * width / height), 1, this.width);
        int cropHeight = Math.clamp(Math.round((double) this.width * height / width), 1, this.height);
        RgbImage cropped = crop((this.width - cropWidth) / 2, (this.height - cropHeight) / 2, cropWidth, cropHeight);
        return cropped.resize(width, height, resampling);
    }

    /// The rectangle with its top left corner at (x, y).
    public RgbImage crop(int x, int y, int width, int height) {
        if (x < 0 || y < 0 || x + width > this.width || y + height > this.height) {
            throw new IllegalArgumentException("crop " + width + "x" + height + " at " + x + "," + y
                    + " of an image of " + this.width + "x" + this.height);
        }
        if (width == this.width && height == this.height) return this;
        int[] cropped = new int[Math.multiplyExact(width, height)];
        for (int row = 0; row < height; row++) {
            System.arraycopy(argb, (y + row) * this.width + x, cropped, row * width, width);
        }
        return new RgbImage(width, height, cropped);
    }

    /// Replaces the alpha channel, one byte per pixel.
    RgbImage withAlpha(byte[] alpha) {
        int[] changed = new int[argb.length];
        for (int i = 0; i < changed.length; i++) changed[i] = (alpha[i] & 0xFF) << 24 | argb[i] & 0xFFFFFF;
        return new RgbImage(width, height, changed);
    }

    /// Places the image on a larger, transparent canvas with its top left corner at (x, y).
    RgbImage pasteOnCanvas(int width, int height, int x, int y) {
        int[] canvas = new int[Math.multiplyExact(width, height)];
        for (int row = 0; row < this.height; row++)
            System.arraycopy(argb, row * this.width, canvas, (y + row) * width + x, this.width);
        return new RgbImage(width, height, canvas);
    }

    /// Every `step`th pixel of every `step`th row.
    RgbImage subsample(int step) {
        if (step == 1) return this;
        int columns = (width - step / 2 + step - 1) / step;
        int rows = (height - step / 2 + step - 1) / step;
        int[] subsampled = new int[columns * rows];
        for (int i = 0; i < subsampled.length; i++)
            subsampled[i] = argb[(step / 2 + i / columns * step) * width + step / 2 + i % columns * step];
        return new RgbImage(columns, rows, subsampled);
    }

    public RgbImage flipHorizontally() {
        int[] flipped = new int[argb.length];
        for (int i = 0; i < argb.length; i++) flipped[i] = argb[i - i % width + width - 1 - i % width];
        return new RgbImage(width, height, flipped);
    }

    /// Resizes with the Lanczos filter, up or down. Opaque.
    public RgbImage resize(int width, int height) {
        return resize(width, height, Resampling.LANCZOS);
    }

    /// Resizes with the given filter, up or down. Opaque.
    public RgbImage resize(int width, int height, Resampling resampling) {
        RgbImage opaque = toOpaque();
        return width == this.width && height == this.height ? opaque : resampling.resize(opaque, width, height);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RgbImage image && width == image.width && height == image.height
                && Arrays.equals(argb, image.argb);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * width + height) + Arrays.hashCode(argb);
    }

    @Override
    public String toString() {
        return "RgbImage(" + width + "x" + height + ")";
    }
}

package atomstudio.diffusion.picture;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;

/// Where a picture is to change: white there, black where it stays, as an opaque grey picture.
public record Mask(Picture grey) {
    /// How far inside the mask's edge the new picture comes in fully, in pixels.
    private static final int RAMP = 4;

    /// From a file: its alpha channel where it is transparent somewhere (what is painted changes), its light otherwise.
    /// @param of the picture it belongs to, in proportions that it must have too
    /// @throws Failure.Incompatible for other proportions, or a mask that lets nothing change
    public static Mask read(Path file, Picture of) throws Failure {
        Picture read = Pictures.read(file);
        if (Math.abs((double) read.width() * of.height() / of.width() - read.height()) > 1 && Math.abs((double) read.height() * of.width() / of.height() - read.width()) > 1) {
            throw new Failure.Incompatible(file + ": expected a mask of its picture's proportions, " + of.width() + "x" + of.height() + ", found " + read.width() + "x" + read.height() + "; scale or crop it like the picture");
        }
        Mask mask = of(read);
        if (mask.black()) throw new Failure.Incompatible(file + ": the mask is black all over, so that nothing would change; paint white what is to change");
        return mask;
    }

    /// The alpha channel of a picture that is transparent somewhere, the light of any other.
    public static Mask of(Picture picture) {
        boolean transparent = picture.transparent();
        int[] grey = new int[picture.argb().length];
        for (int i = 0; i < grey.length; i++) {
            int pixel = picture.argb()[i];
            int value = transparent ? pixel >>> 24 : (299 * (pixel >> 16 & 0xFF) + 587 * (pixel >> 8 & 0xFF) + 114 * (pixel & 0xFF) + 500) / 1000;
            grey[i] = 0xFF000000 | 0x010101 * value;
        }
        return new Mask(new Picture(picture.width(), picture.height(), grey));
    }

    /// Everything changes.
    public static Mask white(int width, int height) {
        return new Mask(Picture.filled(width, height, 0xFFFFFF));
    }

    private boolean black() {
        for (int pixel : grey.argb()) if ((pixel & 0xFF) >= 128) return false;
        return true;
    }

    /// The part that fills width × height, as [Picture#filling(int, int)] takes it of the picture.
    public Mask filling(int width, int height) {
        return new Mask(grey.filling(width, height, Resampling.BILINEAR));
    }

    /// Whether a pixel changes: from the middle of grey on.
    public boolean changes(int x, int y) {
        return (grey.argb()[y * grey.width() + x] & 0xFF) >= 128;
    }

    /// The latent pixels that change, 0 or 1, as (1,1,h,w): what the first of each latent pixel's pixels says, as in the reference.
    public Tensor latents(int factor) {
        int width = grey.width() / factor;
        int height = grey.height() / factor;
        float[] changed = new float[width * height];
        for (int i = 0; i < changed.length; i++) changed[i] = changes(i % width * factor, i / width * factor) ? 1 : 0;
        return new Tensor(Shape.of(1, 1, height, width), changed);
    }

    /// The picture (1,3,H,W) with mid grey where it is to change.
    public Tensor hide(Tensor picture) {
        Tensor hidden = new Tensor(picture.shape(), picture.data().clone());
        int plane = grey.argb().length;
        for (int i = 0; i < hidden.data().length; i++) if (changes(i % plane % grey.width(), i % plane / grey.width())) hidden.data()[i] = 0;
        return hidden;
    }

    /// `made` where the picture was to change and `given` everywhere else, untouched. Grey mixes; the edge is a ramp of a few pixels that
    /// lies inside the mask, so that nothing outside it moves.
    public Picture blend(Picture given, Picture made) {
        int[] weights = ramp();
        int[] mixed = new int[weights.length];
        int most = 255 * (RAMP + 1);
        for (int i = 0; i < mixed.length; i++) {
            int pixel = 0xFF000000;
            for (int shift = 0; shift <= 16; shift += 8) {
                int before = given.argb()[i] >> shift & 0xFF;
                int after = made.argb()[i] >> shift & 0xFF;
                pixel |= (before * (most - weights[i]) + after * weights[i] + most / 2) / most << shift;
            }
            mixed[i] = pixel;
        }
        return new Picture(grey.width(), grey.height(), mixed);
    }

    /// Sums of the mask and what is left of it when its edge is worn off by 1, 2, … pixels.
    private int[] ramp() {
        int[] worn = new int[grey.argb().length];
        for (int i = 0; i < worn.length; i++) worn[i] = grey.argb()[i] & 0xFF;
        int[] sum = worn.clone();
        for (int round = 0; round < RAMP; round++) {
            worn = wear(worn);
            for (int i = 0; i < sum.length; i++) sum[i] += worn[i];
        }
        return sum;
    }

    /// The least of each pixel and its four neighbours; beyond the picture's edge nothing wears.
    private int[] wear(int[] values) {
        int width = grey.width();
        int[] worn = values.clone();
        for (int i = 0; i < worn.length; i++) {
            if (i % width > 0) worn[i] = Math.min(worn[i], values[i - 1]);
            if (i % width < width - 1) worn[i] = Math.min(worn[i], values[i + 1]);
            if (i >= width) worn[i] = Math.min(worn[i], values[i - width]);
            if (i < worn.length - width) worn[i] = Math.min(worn[i], values[i + width]);
        }
        return worn;
    }
}

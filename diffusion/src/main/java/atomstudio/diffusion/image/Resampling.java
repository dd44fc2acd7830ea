package atomstudio.diffusion.image;

import java.util.stream.IntStream;

/// Resampling filters with antialiasing: the filter is widened by the scale factor when downscaling. Fixed-point
/// arithmetic on sRGB bytes, horizontal then vertical, rounded to bytes in between; bit-identical to Pillow.
/// Source: C. E. Duchon, 1979, "Lanczos filtering in one and two dimensions"; R. G. Keys, 1981, "Cubic convolution
/// interpolation for digital image processing", a = −1/2; precision and rounding as in Pillow's Resample.c.
public enum Resampling {
    LANCZOS(3), BICUBIC(2), BILINEAR(1);

    private static final double KEYS_A = -0.5;
    private static final int PRECISION_BITS = 22;

    /// Half the width of the filter in source pixels at scale 1.
    private final int support;

    Resampling(int support) {
        this.support = support;
    }

    RgbImage resize(RgbImage source, int width, int height) {
        int[] horizontal = width == source.width() ? source.argb()
                : resampleAxis(source.argb(),
                        new LineLayout(source.width(), 1, width, 1, source.height(), source.width(), width));
        int[] vertical = height == source.height() ? horizontal
                : resampleAxis(horizontal, new LineLayout(source.height(), width, height, width, width, 1, 1));
        return new RgbImage(width, height, vertical);
    }

    /// Array layout of the lines of one axis: length, pixel step and line stride in source and target, and the number
    /// of lines.
    private record LineLayout(int sourceLength, int sourceStep, int targetLength, int targetStep, int count,
            int sourceStride, int targetStride) {}

    /// The filter of one target pixel: the first source pixel, and the weights in fixed point.
    private record Window(int first, int[] weights) {
        static Window of(Resampling filter, int target, double scale, int size) {
            double filterScale = Math.max(scale, 1);
            double centre = (target + 0.5) * scale;
            double radius = filter.support * filterScale;
            int first = Math.max(0, (int) (centre - radius + 0.5));
            int count = Math.min(size, (int) (centre + radius + 0.5)) - first;
            double[] exact = new double[count];
            double sum = 0;
            for (int i = 0; i < count; i++) {
                exact[i] = filter.kernel((first + i - centre + 0.5) / filterScale);
                sum += exact[i];
            }
            int[] weights = new int[count];
            for (int i = 0; i < count; i++) {
                double weight = exact[i] / sum * (1 << PRECISION_BITS);
                weights[i] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
            }
            return new Window(first, weights);
        }
    }

    private int[] resampleAxis(int[] source, LineLayout layout) {
        Window[] windows = new Window[layout.targetLength];
        for (int i = 0; i < windows.length; i++)
            windows[i] = Window.of(this, i, (double) layout.sourceLength / layout.targetLength, layout.sourceLength);
        int[] target = new int[Math.multiplyExact(layout.targetLength, layout.count)];
        IntStream.range(0, layout.count).parallel().forEach(line -> {
            for (int i = 0; i < windows.length; i++) {
                target[line * layout.targetStride + i * layout.targetStep] = convolve(source,
                        line * layout.sourceStride + windows[i].first * layout.sourceStep, layout.sourceStep,
                        windows[i].weights);
            }
        });
        return target;
    }

    private static int convolve(int[] source, int start, int step, int[] weights) {
        int red = 1 << (PRECISION_BITS - 1);
        int green = red;
        int blue = red;
        int at = start;
        for (int weight : weights) {
            int pixel = source[at];
            red += (pixel >> 16 & 0xFF) * weight;
            green += (pixel >> 8 & 0xFF) * weight;
            blue += (pixel & 0xFF) * weight;
            at += step;
        }
        return 0xFF000000 | toByte(red) << 16 | toByte(green) << 8 | toByte(blue);
    }

    private static int toByte(int sum) {
        return Math.clamp(sum >> PRECISION_BITS, 0, 255);
    }

    private double kernel(double signed) {
        double x = Math.abs(signed);
        if (x >= support) return 0;
        return switch (this) {
            case LANCZOS -> sinc(x) * sinc(x / support);
            case BICUBIC ->
                    x < 1 ? ((KEYS_A + 2) * x - (KEYS_A + 3)) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * KEYS_A;
            case BILINEAR -> 1 - x;
        };
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
    }
}

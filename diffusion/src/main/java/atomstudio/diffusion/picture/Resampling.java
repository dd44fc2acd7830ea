package atomstudio.diffusion.picture;

import java.util.stream.IntStream;

/// Windows to scale pictures with, widened by the factor when scaling down, so that every source pixel counts.
/// Work on sRGB bytes in fixed point, across and then down with bytes between, as Pillow does: results are equal to its.
/// Source: C. E. Duchon, 1979, "Lanczos filtering in one and two dimensions"; R. G. Keys, 1981, "Cubic convolution interpolation for
/// digital image processing", a = −1/2; precision and rounding as in Pillow's Resample.c.
public enum Resampling {
    LANCZOS(3), BICUBIC(2), BILINEAR(1);

    private static final double KEYS = -0.5;
    private static final int PRECISION = 22;

    /// Half the window's width in source pixels at a factor of 1.
    private final int reach;

    Resampling(int reach) {
        this.reach = reach;
    }

    Picture resize(Picture opaque, int width, int height) {
        int[] across = width == opaque.width() ? opaque.argb()
            : pass(opaque.argb(), new Lines(opaque.width(), 1, width, 1, opaque.height(), opaque.width(), width));
        int[] down = height == opaque.height() ? across
            : pass(across, new Lines(opaque.height(), width, height, width, width, 1, 1));
        return new Picture(width, height, down);
    }

    /// How lines lie in the source and in the target: length and distance of neighbours in each, number of lines, distance of their starts in each.
    private record Lines(int from, int fromStep, int to, int toStep, int count, int fromStride, int toStride) {}

    /// The source pixels that make one target pixel: the first, and their weights in fixed point.
    private record Window(int first, int[] weights) {
        static Window of(Resampling by, int target, double scale, int size) {
            double stretch = Math.max(scale, 1);
            double centre = (target + 0.5) * scale;
            double support = by.reach * stretch;
            int first = Math.max(0, (int) (centre - support + 0.5));
            int count = Math.min(size, (int) (centre + support + 0.5)) - first;
            double[] exact = new double[count];
            double sum = 0;
            for (int i = 0; i < count; i++) {
                exact[i] = by.kernel((first + i - centre + 0.5) / stretch);
                sum += exact[i];
            }
            int[] weights = new int[count];
            for (int i = 0; i < count; i++) {
                double weight = exact[i] / sum * (1 << PRECISION);
                weights[i] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
            }
            return new Window(first, weights);
        }
    }

    private int[] pass(int[] source, Lines lines) {
        Window[] windows = new Window[lines.to];
        for (int i = 0; i < windows.length; i++) windows[i] = Window.of(this, i, (double) lines.from / lines.to, lines.from);
        int[] target = new int[Math.multiplyExact(lines.to, lines.count)];
        IntStream.range(0, lines.count).parallel().forEach(line -> {
            for (int i = 0; i < windows.length; i++) {
                target[line * lines.toStride + i * lines.toStep] =
                    mix(source, line * lines.fromStride + windows[i].first * lines.fromStep, lines.fromStep, windows[i].weights);
            }
        });
        return target;
    }

    private static int mix(int[] source, int start, int step, int[] weights) {
        int red = 1 << (PRECISION - 1);
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
        return 0xFF000000 | level(red) << 16 | level(green) << 8 | level(blue);
    }

    private static int level(int sum) {
        return Math.clamp(sum >> PRECISION, 0, 255);
    }

    private double kernel(double signed) {
        double x = Math.abs(signed);
        if (x >= reach) return 0;
        return switch (this) {
            case LANCZOS -> sinc(x) * sinc(x / reach);
            case BICUBIC -> x < 1 ? ((KEYS + 2) * x - (KEYS + 3)) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * KEYS;
            case BILINEAR -> 1 - x;
        };
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
    }
}

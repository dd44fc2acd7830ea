package atomstudio.diffusion.engine;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// Scales maps (B,C,h,w) linearly between the four nearest pixels' centres: torch's `interpolate(mode="bilinear", align_corners=False,
/// antialias=False)`, which "latent upscale" means in other programs.
record LatentUpscale(int height, int width) {
    Tensor apply(Tensor x) {
        Shape from = x.shape();
        Axis vertical = Axis.of(Math.toIntExact(from.size(2)), height);
        Axis horizontal = Axis.of(Math.toIntExact(from.size(3)), width);
        Tensor upscaled = Tensor.zeros(from.with(2, height).with(3, width));
        int planes = Math.toIntExact(from.size(0) * from.size(1));
        int sourceWidth = Math.toIntExact(from.size(3));
        int planeSize = Math.toIntExact(from.size(2)) * sourceWidth;
        for (int plane = 0; plane < planes; plane++) {
            for (int y = 0; y < height; y++) {
                int top = plane * planeSize + vertical.first[y] * sourceWidth;
                int bottom = plane * planeSize + vertical.second[y] * sourceWidth;
                for (int i = 0; i < width; i++) {
                    float above = lerp(x.data()[top + horizontal.first[i]], x.data()[top + horizontal.second[i]], horizontal.weight[i]);
                    float below = lerp(x.data()[bottom + horizontal.first[i]], x.data()[bottom + horizontal.second[i]], horizontal.weight[i]);
                    upscaled.data()[(plane * height + y) * width + i] = lerp(above, below, vertical.weight[y]);
                }
            }
        }
        return upscaled;
    }

    private static float lerp(float a, float b, float weight) {
        return a * (1 - weight) + b * weight;
    }

    /// The two source pixels of every target pixel, and the second one's weight.
    private record Axis(int[] first, int[] second, float[] weight) {
        static Axis of(int from, int to) {
            Axis axis = new Axis(new int[to], new int[to], new float[to]);
            for (int i = 0; i < to; i++) {
                float at = Math.max(0, (i + 0.5f) * from / to - 0.5f);
                axis.first[i] = Math.min((int) at, from - 1);
                axis.second[i] = Math.min(axis.first[i] + 1, from - 1);
                axis.weight[i] = at - axis.first[i];
            }
            return axis;
        }
    }
}

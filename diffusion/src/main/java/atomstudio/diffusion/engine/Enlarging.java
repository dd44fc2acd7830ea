package atomstudio.diffusion.engine;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// Scales maps (B,C,h,w) linearly between the four nearest pixels' centres: torch's `interpolate(mode="bilinear", align_corners=False,
/// antialias=False)`, which "latent upscale" means in other programs.
record Enlarging(int height, int width) {
    Tensor of(Tensor x) {
        Shape from = x.shape();
        Axis down = Axis.of(Math.toIntExact(from.size(2)), height);
        Axis across = Axis.of(Math.toIntExact(from.size(3)), width);
        Tensor large = Tensor.zeros(from.with(2, height).with(3, width));
        int rows = Math.toIntExact(from.size(0) * from.size(1));
        int wide = Math.toIntExact(from.size(3));
        int plane = Math.toIntExact(from.size(2)) * wide;
        for (int row = 0; row < rows; row++) {
            for (int y = 0; y < height; y++) {
                int top = row * plane + down.first[y] * wide;
                int bottom = row * plane + down.second[y] * wide;
                for (int i = 0; i < width; i++) {
                    float above = mix(x.data()[top + across.first[i]], x.data()[top + across.second[i]], across.weight[i]);
                    float below = mix(x.data()[bottom + across.first[i]], x.data()[bottom + across.second[i]], across.weight[i]);
                    large.data()[(row * height + y) * width + i] = mix(above, below, down.weight[y]);
                }
            }
        }
        return large;
    }

    private static float mix(float a, float b, float weight) {
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

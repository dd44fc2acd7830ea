package atomstudio.diffusion.net;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// Sines and cosines of the timestep at geometrically falling frequencies, the UNet's view of time.
/// Source: Vaswani et al. 2017, section 3.5, with diffusers' order and shift; computed in float32 as there.
public record SinusoidalEmbedding(int dim, Order order, double downscaleFreqShift) {
    /// Which half comes first; Stable Diffusion has the cosines first.
    public enum Order { SINE_COSINE, COSINE_SINE }

    private static final int MAX_PERIOD = 10_000;

    /// (B) timesteps -> (B, width).
    public Tensor embed(float[] timesteps) {
        int half = dim / 2;
        float[] features = new float[timesteps.length * dim];
        int sine = order == Order.SINE_COSINE ? 0 : half;
        for (int b = 0; b < timesteps.length; b++) {
            for (int i = 0; i < half; i++) {
                float exponent = (float) -Math.log(MAX_PERIOD) * i / (float) (half - downscaleFreqShift);
                float angle = timesteps[b] * (float) Math.exp(exponent);
                features[b * dim + sine + i] = (float) Math.sin(angle);
                features[b * dim + half - sine + i] = (float) Math.cos(angle);
            }
        }
        return new Tensor(Shape.of(timesteps.length, dim), features);
    }
}

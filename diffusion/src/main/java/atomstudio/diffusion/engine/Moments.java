package atomstudio.diffusion.engine;

import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// What the autoencoder says of a picture: mean and log variance of its latents, (B,4,H/8,W/8), the latter within -30..20.
public record Moments(Tensor mean, Tensor logVariance) {
    /// Latents of the distribution, mean + exp(½ log variance) · noise, not multiplied by the scaling factor.
    public Tensor sample(NoiseSource random) {
        Tensor noise = random.draw(mean.shape());
        Tensor sample = Tensor.zeros(mean.shape());
        for (int i = 0; i < sample.data().length; i++) {
            sample.data()[i] = mean.data()[i] + (float) Math.exp(0.5f * logVariance.data()[i]) * noise.data()[i];
        }
        return sample;
    }

    /// From the encoder's output (B,8,h,w): means, then log variances, clamped here.
    public static Moments of(Tensor both) {
        int batch = Math.toIntExact(both.shape().size(0));
        Shape half = both.shape().with(1, both.shape().size(1) / 2);
        int row = Math.toIntExact(half.elements() / batch);
        Tensor mean = Tensor.zeros(half);
        Tensor logVariance = Tensor.zeros(half);
        for (int b = 0; b < batch; b++) {
            System.arraycopy(both.data(), 2 * b * row, mean.data(), b * row, row);
            for (int i = 0; i < row; i++) logVariance.data()[b * row + i] = Math.clamp(both.data()[(2 * b + 1) * row + i], -30f, 20f);
        }
        return new Moments(mean, logVariance);
    }
}

package atomstudio.diffusion.engine;

import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// The distribution of an image's latents (diffusers' DiagonalGaussianDistribution): mean and log variance,
/// (B, 4, H/8, W/8), the latter clamped to -30..20.
public record LatentDistribution(Tensor mean, Tensor logVariance) {
    /// mean + exp(½ log variance) · noise, not multiplied by the scaling factor.
    public Tensor sample(NoiseSource noiseSource) {
        Tensor noise = noiseSource.draw(mean.shape());
        Tensor standardDeviation = logVariance.map(value -> Math.exp(0.5 * value));
        return Tensor.add(mean, 1, standardDeviation.zip(noise, (deviation, value) -> deviation * value));
    }

    /// The same for each image of a batch.
    LatentDistribution repeated(int times) {
        return new LatentDistribution(mean.repeated(times), logVariance.repeated(times));
    }

    /// From the encoder's output (B, 8, h, w): means, then log variances.
    public static LatentDistribution ofEncoderOutput(Tensor encoderOutput) {
        int batch = Math.toIntExact(encoderOutput.shape().size(0));
        Shape half = encoderOutput.shape().with(1, encoderOutput.shape().size(1) / 2);
        int rowSize = Math.toIntExact(half.elements() / batch);
        Tensor mean = Tensor.zeros(half);
        Tensor logVariance = Tensor.zeros(half);
        for (int b = 0; b < batch; b++) {
            System.arraycopy(encoderOutput.data(), 2 * b * rowSize, mean.data(), b * rowSize, rowSize);
            for (int i = 0; i < rowSize; i++)
                logVariance.data()[b * rowSize + i] = Math.clamp(encoderOutput.data()[(2 * b + 1) * rowSize + i],
                        -30f, 20f);
        }
        return new LatentDistribution(mean, logVariance);
    }
}

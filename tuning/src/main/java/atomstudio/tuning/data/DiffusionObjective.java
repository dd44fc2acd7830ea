package atomstudio.tuning.data;

import atomstudio.diffusion.sample.NoiseLevel;
import atomstudio.diffusion.sample.NoiseSchedule;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// The training objective of a denoiser: noisy latents, and the target of its prediction.
/// Source: Ho, Jain and Abbeel 2020, equation 4; Salimans and Ho 2022, appendix D, for v.
public record DiffusionObjective(NoiseSchedule schedule, PredictionType prediction) {
    /// x = √ᾱ · x0 + √(1 − ᾱ) · noise, at each sample's timestep (B).
    public Tensor addNoise(Tensor latents, Tensor noise, float[] timesteps) {
        return combine(latents, noise, timesteps, (level, x0, e) -> level.alphaT() * x0 + level.sigmaT() * e);
    }

    /// The correct output of the network, (B, C, H, W).
    public Tensor target(Tensor latents, Tensor noise, float[] timesteps) {
        return switch (prediction) {
            case EPSILON -> noise;
            case SAMPLE -> latents;
            case V -> combine(latents, noise, timesteps, (level, x0, e) -> level.alphaT() * e - level.sigmaT() * x0);
        };
    }

    /// min(snr, γ) over the weight that the plain loss implies: snr for epsilon, snr + 1 for v, 1 for sample.
    /// Source: Hang et al. 2023, "Efficient Diffusion Training via Min-SNR Weighting Strategy", section 3.4.
    public Tensor minSnrWeights(float[] timesteps, double gamma) {
        return Tensor.generate(Shape.of(timesteps.length), i -> {
            double alphaBar = schedule.alphaCumprod((int) timesteps[i]);
            double snr = alphaBar / (1 - alphaBar);
            return Math.min(snr, gamma) / switch (prediction) {
                case EPSILON -> snr;
                case V -> snr + 1;
                case SAMPLE -> 1;
            };
        });
    }

    private interface NoiseCombination {
        double combine(NoiseLevel level, double x0, double noise);
    }

    private Tensor combine(Tensor latents, Tensor noise, float[] timesteps, NoiseCombination combination) {
        int elementsPerSample = latents.data().length / timesteps.length;
        return Tensor.generate(latents.shape(),
                i -> combination.combine(schedule.level((int) timesteps[i / elementsPerSample]), latents.data()[i],
                        noise.data()[i]));
    }
}

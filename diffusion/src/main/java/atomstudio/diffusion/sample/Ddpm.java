package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;
import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Ancestral sampling of denoising diffusion probabilistic models, in latents alpha · x0 + sigma · noise. Draws once
/// a step, but not from timestep 0.
/// Source: Ho, Jain and Abbeel 2020, equations 6 and 7, for steps over several timesteps: β = 1 - ᾱ / ᾱ'.
public record Ddpm(Thresholding thresholding, VarianceType varianceType) implements Sampler {
    private static final double MIN_VARIANCE = 1e-20;

    /// Variance of the fresh noise: the posterior's, or the forward step's β.
    public enum VarianceType { FIXED_SMALL, FIXED_LARGE }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        NoiseLevel from = context.from();
        NoiseLevel to = context.to();
        double alphaRatio = from.alphaT() / to.alphaT();
        double beta = 1 - alphaRatio * alphaRatio;
        double sigmaSquared = from.sigmaT() * from.sigmaT();
        double sigmaSquaredRatio = to.sigmaT() * to.sigmaT() / sigmaSquared;
        Tensor denoised = thresholding.apply(output.denoised());
        Tensor x = weightedSum(to.alphaT() * beta / sigmaSquared, denoised, alphaRatio * sigmaSquaredRatio,
                context.x());
        double variance = switch (varianceType) {
            case FIXED_SMALL -> Math.max(sigmaSquaredRatio * beta, MIN_VARIANCE);
            case FIXED_LARGE -> beta;
        };
        if (context.step().timestep() > 0) x = add(x, Math.sqrt(variance), context.drawNoise());
        return new StepResult(x, output);
    }
}

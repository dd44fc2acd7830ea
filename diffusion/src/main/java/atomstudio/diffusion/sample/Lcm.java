package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Multistep sampling of latent consistency models: predict x0 in one step, then add fresh noise up to the next level.
/// Draws once a step, but not at the last.
/// Source: Luo, Tan, Huang, Li and Zhao 2023, "Latent Consistency Models", algorithm 3; Song, Dhariwal, Chen and
/// Sutskever 2023 for the skip weights c_skip and c_out, which make the model the identity without noise.
///
/// @param timestepScaling factor on timesteps in the skip weights
public record Lcm(Thresholding thresholding, double timestepScaling) implements Sampler {
    /// Standard deviation of data assumed by the skip weights.
    private static final double SIGMA_DATA = 0.5;

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise().thresholded(thresholding);
        double scaledTimestep = context.step().timestep() * timestepScaling;
        double norm = scaledTimestep * scaledTimestep + SIGMA_DATA * SIGMA_DATA;
        double cSkip = SIGMA_DATA * SIGMA_DATA / norm;
        double cOut = scaledTimestep / Math.sqrt(norm);
        Tensor denoised = weightedSum(cOut, output.denoised(), cSkip, context.x());
        if (context.isLast()) return new StepResult(denoised, output);
        NoiseLevel to = context.to();
        return new StepResult(weightedSum(to.alphaT(), denoised, to.sigmaT(), context.drawNoise()), output);
    }
}

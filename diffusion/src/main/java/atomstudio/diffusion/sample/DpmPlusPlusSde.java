package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;
import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The second-order single-step solver for the stochastic equation: half a step with noise, then the whole step with
/// the x0 predicted there. Two network calls and two draws a step; at a last step to σ = 0, one call and no draw.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", section 5, as k-diffusion's `sample_dpmpp_sde` with
/// r = 1/2.
public record DpmPlusPlusSde(double eta) implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        double sigma = context.sigma();
        double sigmaNext = context.sigmaNext();
        if (sigmaNext == 0) return new StepResult(output.denoised(), output);
        double sigmaMid = Math.sqrt(sigma * sigmaNext);
        AncestralStep half = AncestralStep.of(sigma, sigmaMid, eta);
        Tensor halfNoise = context.drawNoise();
        Tensor x2 = output.ddimStep(output.denoised(), half.sigmaDown());
        x2 = add(x2, half.sigmaUp(), halfNoise);
        Tensor denoised2 = context.denoiseMidStep(x2, NoiseLevel.ofSigma(sigmaMid)).denoised();
        AncestralStep full = AncestralStep.of(sigma, sigmaNext, eta);
        // One Brownian path over σ: the noise of the whole step continues that of its first half.
        Tensor noise = weightedSum(Math.sqrt((sigma - sigmaMid) / (sigma - sigmaNext)), halfNoise,
                Math.sqrt((sigmaMid - sigmaNext) / (sigma - sigmaNext)), context.drawNoise());
        Tensor x = output.ddimStep(denoised2, full.sigmaDown());
        return new StepResult(add(x, full.sigmaUp(), noise), output);
    }
}

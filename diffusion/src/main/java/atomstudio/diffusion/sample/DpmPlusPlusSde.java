package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The second-order single-step solver for the stochastic equation: half a step with noise, then the whole step with
/// what the network says there. Asks and draws twice a step, but not at a last one to no noise.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", section 5, as k-diffusion's `sample_dpmpp_sde` with
/// r = 1/2.
public record DpmPlusPlusSde(double eta) implements Sampler {
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        return new SamplingPlan(new DpmPlusPlusSde(request.eta()),
                SigmaSchedules.schedule(request, SigmaSchedules.kDiffusionSigmas(request).steps(0)));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        double sigma = output.level().sigma();
        double sigmaNext = context.step().to().sigma();
        if (sigmaNext == 0) return new StepResult(output.denoised(), output);
        double sigmaMid = Math.sqrt(sigma * sigmaNext);
        Tensor halfNoise = context.drawNoise();
        AncestralStep halfStep = AncestralStep.between(sigma, sigmaMid, eta);
        NoiseLevel midLevel = NoiseLevel.ofSigma(sigmaMid);
        Tensor denoised2 = context.denoise(context.editMidStep(
                halfStep.addNoise(output.ddimStep(output.denoised(), halfStep.sigmaDown()), halfNoise), midLevel),
                midLevel).denoised();
        AncestralStep fullStep = AncestralStep.between(sigma, sigmaNext, eta);
        // One Brownian path over σ: the step's noise is the half's and what comes after it.
        Tensor noise = LatentMath.weightedSum(Math.sqrt((sigma - sigmaMid) / (sigma - sigmaNext)), halfNoise,
                Math.sqrt((sigmaMid - sigmaNext) / (sigma - sigmaNext)), context.drawNoise());
        return new StepResult(fullStep.addNoise(output.ddimStep(denoised2, fullStep.sigmaDown()), noise), output);
    }
}

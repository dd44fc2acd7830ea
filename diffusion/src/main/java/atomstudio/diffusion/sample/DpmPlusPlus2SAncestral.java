package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The second-order single-step solver for the clean latents, ancestral: asks twice and draws once a step, but not at
/// a last one to no noise.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", algorithm 1 with r = 1/2, in latents x0 + σ · noise
/// as k-diffusion's `sample_dpmpp_2s_ancestral`; [AncestralStep].
public record DpmPlusPlus2SAncestral(double eta) implements Sampler {
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        return new SamplingPlan(new DpmPlusPlus2SAncestral(request.eta()),
                SigmaSchedules.schedule(request, SigmaSchedules.kDiffusionSigmas(request).steps(0)));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        if (context.step().to().sigmaT() == 0) return new StepResult(output.denoised(), output);
        AncestralStep ancestral = AncestralStep.of(context.step(), eta);
        double sigmaMid = Math.sqrt(output.level().sigma() * ancestral.sigmaDown());
        Tensor denoised2 = ancestral.sigmaDown() == 0 ? output.denoised()
                : midpoint(context, output, NoiseLevel.ofSigma(sigmaMid)).denoised();
        return new StepResult(
                ancestral.addNoise(output.ddimStep(denoised2, ancestral.sigmaDown()), context.drawNoise()), output);
    }

    private static ModelOutput midpoint(StepContext context, ModelOutput output, NoiseLevel midLevel) throws Failure {
        return context.denoise(context.editMidStep(output.ddimStep(output.denoised(), midLevel.sigma()), midLevel),
                midLevel);
    }
}

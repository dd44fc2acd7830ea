package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The second-order single-step solver for x0, ancestral. Two network calls and one draw a step; at a last step to
/// σ = 0, one call and no draw.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", algorithm 1 with r = 1/2, in latents x0 + σ · noise
/// as k-diffusion's `sample_dpmpp_2s_ancestral`; [Sampler.AncestralStep].
public record DpmPlusPlus2SAncestral(double eta) implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        if (context.sigmaNext() == 0) return new StepResult(output.denoised(), output);
        AncestralStep ancestral = AncestralStep.of(context.sigma(), context.sigmaNext(), eta);
        double sigmaDown = ancestral.sigmaDown();
        Tensor denoised2 = output.denoised();
        if (sigmaDown > 0) {
            NoiseLevel mid = NoiseLevel.ofSigma(Math.sqrt(context.sigma() * sigmaDown));
            Tensor x2 = output.ddimStep(output.denoised(), mid.sigma());
            denoised2 = context.denoiseMidStep(x2, mid).denoised();
        }
        Tensor x = output.ddimStep(denoised2, sigmaDown);
        return new StepResult(add(x, ancestral.sigmaUp(), context.drawNoise()), output);
    }
}

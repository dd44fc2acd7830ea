package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The midpoint method on the probability flow, with the midpoint in log σ; with eta, ancestral steps (DPM2 a). Calls
/// the network twice a step and draws once if eta is above 0; at a last step to σ = 0, one call and no draw.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver", algorithm 1; k-diffusion's `sample_dpm_2` and
/// `sample_dpm_2_ancestral`.
public record Dpm2(double eta) implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        AncestralStep ancestral = AncestralStep.of(context.sigma(), context.sigmaNext(), eta);
        double sigma = context.sigma();
        double sigmaDown = ancestral.sigmaDown();
        Tensor d = output.d();
        if (sigmaDown > 0) {
            double sigmaMid = Math.sqrt(sigma * sigmaDown);
            Tensor x2 = add(context.x(), sigmaMid - sigma, d);
            // The callback at the midpoint gets the noise level of the step's end, as in diffusers.
            d = context.denoiseMidStep(x2, NoiseLevel.ofSigma(sigmaMid), context.to()).d();
        }
        Tensor x = add(context.x(), sigmaDown - sigma, d);
        if (eta > 0 && context.sigmaNext() > 0) x = add(x, ancestral.sigmaUp(), context.drawNoise());
        return new StepResult(x, output);
    }
}

package atomstudio.diffusion.sample;

import static atomstudio.diffusion.sample.AncestralStep.getAncestralStep;
import static atomstudio.diffusion.tensor.Tensor.add;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Ancestral DPM2 steps. Draws once a step, but not at a last step to σ = 0.
/// Source: [Dpm2], [AncestralStep]; k-diffusion's `sample_dpm_2_ancestral`.
public record Dpm2Ancestral(double eta) implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        AncestralStep ancestral = getAncestralStep(context.sigma(), context.sigmaNext(), eta);
        Tensor x = Dpm2.stepTo(context, output.d(), ancestral.sigmaDown());
        if (context.sigmaNext() > 0) x = add(x, ancestral.sigmaUp(), context.drawNoise());
        return new StepResult(x, output);
    }
}

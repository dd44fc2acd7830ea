package atomstudio.diffusion.sample;

import static atomstudio.diffusion.sample.AncestralStep.getAncestralStep;
import static atomstudio.diffusion.tensor.Tensor.add;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Ancestral Euler steps, in latents x0 + σ · noise. Draws once a step, also at the last.
/// Source: k-diffusion's `sample_euler_ancestral`; [AncestralStep]; Karras, Aittala, Aila and Laine 2022 for the
/// Euler step.
public record EulerAncestral(double eta) implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        AncestralStep ancestral = getAncestralStep(context.sigma(), context.sigmaNext(), eta);
        Tensor d = output.d();
        double dt = ancestral.sigmaDown() - context.sigma();
        Tensor x = add(context.x(), dt, d);
        x = add(x, ancestral.sigmaUp(), context.drawNoise());
        return new StepResult(x, output);
    }
}

package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Euler's method on the probability flow, in latents x0 + σ · noise; with eta, ancestral steps (Euler a). Draws once a
/// step if eta is above 0, also at the last.
/// Source: Karras, Aittala, Aila and Laine 2022, "Elucidating the Design Space", algorithm 2 with S_churn = 0 and
/// without its correction; k-diffusion's `sample_euler` and `sample_euler_ancestral`.
public record Euler(double eta) implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        AncestralStep ancestral = AncestralStep.of(context.sigma(), context.sigmaNext(), eta);
        Tensor d = output.d();
        double dt = ancestral.sigmaDown() - context.sigma();
        Tensor x = add(context.x(), dt, d);
        if (eta > 0) x = add(x, ancestral.sigmaUp(), context.drawNoise());
        return new StepResult(x, output);
    }
}

package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;

/// Euler steps below the noise that is wanted, and fresh noise up to it, in latents x0 + σ · noise. Draws once a
/// step, also at the last.
/// Source: [AncestralStep]; Karras, Aittala, Aila and Laine 2022 for the Euler step.
public record EulerAncestral(double eta) implements Sampler {
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        return new SamplingPlan(new EulerAncestral(request.eta()),
                SigmaSchedules.schedule(request, SigmaSchedules.kDiffusionSigmas(request).steps(0)));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        AncestralStep ancestral = AncestralStep.of(context.step(), eta);
        return new StepResult(
                ancestral.addNoise(output.eulerStep(output.d(), ancestral.sigmaDown()), context.drawNoise()), output);
    }
}

package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// DPM2's steps below the noise that is wanted, and fresh noise up to it. Draws once a step, but not at the last.
/// Source: [Dpm2], [AncestralStep].
public record Dpm2Ancestral(double eta) implements Sampler {
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        return new SamplingPlan(new Dpm2Ancestral(request.eta()),
                SigmaSchedules.schedule(request, Dpm2.sigmas(request).steps(0)));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        AncestralStep ancestral = AncestralStep.of(context.step(), eta);
        Tensor x = Dpm2.stepTo(context, output, ancestral.sigmaDown());
        return new StepResult(context.step().to().sigmaT() == 0 ? x : ancestral.addNoise(x, context.drawNoise()),
                output);
    }
}

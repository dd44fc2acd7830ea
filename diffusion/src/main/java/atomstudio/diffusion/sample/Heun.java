package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Heun's method on the probability flow: an Euler step, then one along the mean of the slopes at both ends. Asks
/// twice a step, but for a last one to no noise.
/// Source: Karras, Aittala, Aila and Laine 2022, "Elucidating the Design Space", algorithm 2 with S_churn = 0.
public record Heun(Thresholding thresholding) implements Sampler {
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        return new SamplingPlan(new Heun(Thresholding.clipOnly(request.config(), false)),
                SigmaSchedules.schedule(request, SigmaSchedules.diffusersSigmas(request).steps(0)));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise().thresholded(thresholding);
        NoiseLevel next = context.step().to();
        Tensor x2 = output.eulerStep(output.d(), next.sigma());
        if (next.sigmaT() == 0) return new StepResult(x2, output);
        ModelOutput output2 = context.denoiseAtEnd(context.editMidStep(x2, next)).thresholded(thresholding);
        return new StepResult(output.eulerStep(LatentMath.weightedSum(0.5, output.d(), 0.5, output2.d()), next.sigma()),
                output);
    }
}

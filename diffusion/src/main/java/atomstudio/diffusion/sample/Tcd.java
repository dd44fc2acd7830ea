package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The sampler of trajectory consistency distillation: down the flow to s = (1 - eta) t', and up to t' under fresh
/// noise. Draws once a step where eta is above 0, but not at the last.
/// Source: Zheng et al. 2024, "Trajectory Consistency Distillation", algorithm 4 (strategic stochastic sampling),
/// their γ here eta.
public record Tcd(NoiseSchedule noiseSchedule, double eta) implements Sampler {
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        NoiseSchedule noiseSchedule = NoiseSchedule.of(request.config());
        return new SamplingPlan(new Tcd(noiseSchedule, request.eta()),
                TimestepSchedules.schedule(request, TimestepSchedules.steps(request,
                        TimestepSchedules.distillationTimesteps(request), noiseSchedule.level(0))));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        double nextTimestep = context.isLast() ? 0 : context.remaining().getFirst().timestep();
        NoiseLevel levelS = noiseSchedule.level((int) Math.floor((float) (1 - eta) * (float) nextTimestep));
        Tensor x = LatentMath.weightedSum(levelS.alphaT(), output.denoised(), levelS.sigmaT(), output.epsilon());
        if (eta == 0 || context.isLast()) return new StepResult(x, output);
        double alphaRatio = context.step().to().alphaT() / levelS.alphaT();
        return new StepResult(
                LatentMath.weightedSum(alphaRatio, x, Math.sqrt(1 - alphaRatio * alphaRatio), context.drawNoise()),
                output);
    }
}

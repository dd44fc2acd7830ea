package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The sampler of latent consistency models: to the clean latents at once, and back up under fresh noise. Draws once
/// a step, but not at the last.
/// Source: Luo, Tan, Huang, Li and Zhao 2023, "Latent Consistency Models", algorithm 3; Song, Dhariwal, Chen and
/// Sutskever 2023 for the weights that make it the identity at no noise.
///
/// @param timestepScaling of timesteps in those weights
public record Lcm(Thresholding thresholding, double timestepScaling) implements Sampler {
    /// The spread of data that the weights assume.
    private static final double SIGMA_DATA = 0.5;

    /// At timestep 0 the weights leave the latents as they are, whatever the network says there: schedules end above
    /// it.
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        SchedulerConfig config = request.config();
        Lcm lcm = new Lcm(Thresholding.clipOrDynamic(config, false), config.number("timestep_scaling", 10));
        return new SamplingPlan(lcm, TimestepSchedules.schedule(request, request.schedule() == ScheduleName.MODEL
                ? TimestepSchedules.steps(request, TimestepSchedules.distillationTimesteps(request),
                        new NoiseLevel(1, 0))
                : TimestepSchedules.namedStepsAboveSigmaMin(request)));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise().thresholded(thresholding);
        double scaledTimestep = context.step().timestep() * timestepScaling;
        double norm = scaledTimestep * scaledTimestep + SIGMA_DATA * SIGMA_DATA;
        Tensor denoised = LatentMath.weightedSum(scaledTimestep / Math.sqrt(norm), output.denoised(),
                SIGMA_DATA * SIGMA_DATA / norm, context.x());
        NoiseLevel to = context.step().to();
        return new StepResult(context.isLast() ? denoised
                : LatentMath.weightedSum(to.alphaT(), denoised, to.sigmaT(), context.drawNoise()), output);
    }
}

package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Ancestral sampling of denoising diffusion probabilistic models, in latents alpha · x0 + sigma · noise. Draws once
/// a step, but not from timestep 0.
/// Source: Ho, Jain and Abbeel 2020, equations 6 and 7, between timesteps further apart: β = 1 - ᾱ / ᾱ'.
public record Ddpm(Thresholding thresholding, VarianceType varianceType) implements Sampler {
    private static final double MIN_VARIANCE = 1e-20;

    /// Of the fresh noise: the posterior's, or the forward step's β.
    public enum VarianceType { FIXED_SMALL, FIXED_LARGE }

    static SamplingPlan plan(SamplerRequest request) throws Failure {
        SchedulerConfig config = request.config();
        Ddpm ddpm = new Ddpm(Thresholding.clipOrDynamic(config, true), varianceType(config));
        return new SamplingPlan(ddpm, TimestepSchedules.schedule(request, request.schedule() == ScheduleName.MODEL
                ? TimestepSchedules.steps(request, TimestepSchedules.timesteps(request), new NoiseLevel(1, 0))
                : TimestepSchedules.namedSteps(request)));
    }

    private static VarianceType varianceType(SchedulerConfig config) throws Failure {
        String type = config.string("variance_type", "fixed_small");
        return switch (type) {
            case "fixed_small", "fixed_small_log" -> VarianceType.FIXED_SMALL;
            case "fixed_large" -> VarianceType.FIXED_LARGE;
            default -> throw config.unsupported("variance_type", type);
        };
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        NoiseLevel from = output.level();
        NoiseLevel to = context.step().to();
        double alphaRatio = from.alphaT() / to.alphaT();
        double beta = 1 - alphaRatio * alphaRatio;
        double sigmaSquared = from.sigmaT() * from.sigmaT();
        double sigmaSquaredRatio = to.sigmaT() * to.sigmaT() / sigmaSquared;
        Tensor x = LatentMath.weightedSum(to.alphaT() * beta / sigmaSquared, thresholding.apply(output.denoised()),
                alphaRatio * sigmaSquaredRatio, context.x());
        double addedVariance = switch (varianceType) {
            case FIXED_SMALL -> Math.max(sigmaSquaredRatio * beta, MIN_VARIANCE);
            case FIXED_LARGE -> beta;
        };
        return new StepResult(context.step().timestep() > 0
                ? LatentMath.weightedSum(1, x, Math.sqrt(addedVariance), context.drawNoise())
                : x, output);
    }
}

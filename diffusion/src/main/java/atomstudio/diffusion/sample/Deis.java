package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// The exponential integrator for the predicted noise: its polynomial in log ρ through up to three steps, integrated
/// over ρ = sigma / alpha, in latents alpha · x0 + sigma · noise. Source: Zhang and Chen 2023, "Fast Sampling of
/// Diffusion Models with Exponential Integrator", equation 15 (log ρ AB-DEIS).
///
/// @param order 1 to 3
/// @param finalOrder whether the last steps, where few are taken, are of as low an order as steps are left
public record Deis(int order, FinalOrder finalOrder, Thresholding thresholding) implements Sampler {
    public enum FinalOrder { LOWER, FULL }

    /// Ends at the least noise that was trained; a schedule that the config names repeats its last level instead, as
    /// in the reference.
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        SchedulerConfig config = request.config();
        int order = config.integer("solver_order", 2);
        if (order < 1 || order > 3) throw new Failure.Incompatible("solver_order: expected 1 to 3, found " + order);
        TrainedSigmas trained = TrainedSigmas.of(config);
        Sigmas sigmas = MultistepSchedules.sigmas(request, trained.size(), Math::rint);
        double finalSigma = switch (request.configuredSchedule()) {
            case KARRAS, EXPONENTIAL, BETA_SIGMAS -> sigmas.last();
            case MODEL, BETA, AYS, SGM_UNIFORM, SIMPLE -> Math.min(sigmas.last(), trained.sigmaMin());
        };
        FinalOrder finalOrder = MultistepSchedules.usesLowerOrderFinal(request, sigmas) ? FinalOrder.LOWER
                : FinalOrder.FULL;
        return new SamplingPlan(new Deis(order, finalOrder, Thresholding.dynamicOnly(config)),
                MultistepSchedules.schedule(request, sigmas.steps(finalSigma)));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise().thresholded(thresholding);
        List<ModelOutput> history = context.historyWith(output);
        int stepsLeft = context.remaining().size() + 1;
        int stepOrder = Math.min(history.size(), finalOrder == FinalOrder.LOWER ? Math.min(order, stepsLeft) : order);
        double[] logSigmas = history.stream()
                .limit(stepOrder)
                .mapToDouble(previous -> Math.log(previous.level().sigma()))
                .toArray();
        NoiseLevel from = output.level();
        NoiseLevel to = context.step().to();
        Tensor x = LatentMath.scale(to.alphaT() / from.alphaT(), context.x());
        for (int j = 0; j < stepOrder; j++) {
            x = LatentMath.weightedSum(1, x, to.alphaT() * Lagrange.logIntegral(logSigmas, j, from.sigma(), to.sigma()),
                    epsilon(history.get(j)));
        }
        return new StepResult(x, output);
    }

    /// The noise that goes with the bounded clean latents.
    private static Tensor epsilon(ModelOutput output) {
        return LatentMath.weightedSum(1 / output.level().sigmaT(), output.x(),
                -output.level().alphaT() / output.level().sigmaT(), output.denoised());
    }
}

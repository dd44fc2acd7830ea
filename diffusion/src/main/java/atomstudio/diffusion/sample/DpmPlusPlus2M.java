package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.function.DoubleUnaryOperator;

/// The second-order multistep solver for the predicted clean latents, in latents alpha · x0 + sigma · noise, λ =
/// log(alpha / sigma); with `eta` 1 for the stochastic equation, with 0 for the probability flow. Draws once a step
/// where eta is above 0, also at the last.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", algorithm 2 and section 5; eta between as in
/// k-diffusion's `sample_dpmpp_2m_sde`.
///
/// @param order 1 or 2
/// @param finalOrder the order of the last step; a last step to no noise at all must be of first order
public record DpmPlusPlus2M(int order, SolverType solverType, FinalOrder finalOrder, double eta,
        Thresholding thresholding) implements Sampler {
    public enum FinalOrder { FIRST, SECOND }

    /// How the change of the clean latents along a step is integrated: as if taken in its middle, or exactly if
    /// linear in λ.
    public enum SolverType { MIDPOINT, HEUN }

    /// The network is asked at whole timesteps, as in the reference.
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        SchedulerConfig config = request.config();
        SolverType solverType = solverType(config);
        int order = config.integer("solver_order", 2);
        if (order < 1) throw new Failure.Incompatible("solver_order: expected 1 to 3, found " + order);
        TrainedSigmas trained = TrainedSigmas.of(config);
        int visibleTimesteps = trained.countAboveLambda(config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY));
        DoubleUnaryOperator karrasRounding = config.string("beta_schedule", "linear").equals("squaredcos_cap_v2")
                ? Math::floor
                : Math::rint;
        Sigmas sigmas = MultistepSchedules.sigmas(request, visibleTimesteps, karrasRounding);
        double finalSigma = trained.finalSigma(config);
        FinalOrder finalOrder = finalSigma == 0 || config.bool("euler_at_final", false)
                || MultistepSchedules.usesLowerOrderFinal(request, sigmas) ? FinalOrder.FIRST : FinalOrder.SECOND;
        return new SamplingPlan(
                new DpmPlusPlus2M(Math.min(order, 2), solverType, finalOrder, request.eta(),
                        Thresholding.dynamicOnly(config)),
                MultistepSchedules.schedule(request, sigmas.steps(finalSigma)));
    }

    private static SolverType solverType(SchedulerConfig config) throws Failure {
        config.requireFalse("use_lu_lambdas");
        String varianceType = config.string("variance_type", "");
        if (!varianceType.isEmpty()) throw config.unsupported("variance_type", varianceType);
        String solver = config.string("solver_type", "midpoint");
        return switch (solver) {
            case "midpoint", "logrho", "bh1", "bh2" -> SolverType.MIDPOINT; // the reference reads the names of other solvers as midpoint
            case "heun" -> SolverType.HEUN;
            default -> throw config.unsupported("solver_type", solver);
        };
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise().thresholded(thresholding);
        NoiseLevel from = output.level();
        NoiseLevel to = context.step().to();
        double deltaLambda = to.lambda() - from.lambda();
        if (deltaLambda == 0) return new StepResult(context.x(), output);
        double h = (1 + eta) * deltaLambda;
        boolean firstOrder = order == 1 || context.history().isEmpty()
                || context.isLast() && finalOrder == FinalOrder.FIRST;
        Tensor denoised = firstOrder ? output.denoised()
                : extrapolatedDenoised(output, context.history().getFirst(), deltaLambda, h);
        double decay = eta == 0 ? 1 : Math.exp(-eta * deltaLambda);
        Tensor x = LatentMath.weightedSum(to.sigmaT() / from.sigmaT() * decay, context.x(),
                -to.alphaT() * Math.expm1(-h), denoised);
        if (eta > 0)
            x = LatentMath.weightedSum(1, x, to.sigmaT() * Math.sqrt(-Math.expm1(-2 * eta * deltaLambda)),
                    context.drawNoise());
        return new StepResult(x, output);
    }

    /// D = x0 + w (x0 - x0') / r, where x0' is the step before's and r the ratio of the two steps in λ.
    private Tensor extrapolatedDenoised(ModelOutput output, ModelOutput previous, double deltaLambda, double h) {
        double r = (output.level().lambda() - previous.level().lambda()) / deltaLambda;
        double w = switch (solverType) {
            case MIDPOINT -> 0.5;
            case HEUN -> -(Math.expm1(-h) / h + 1) / Math.expm1(-h);
        };
        return LatentMath.weightedSum(1 + w / r, output.denoised(), -w / r, previous.denoised());
    }
}

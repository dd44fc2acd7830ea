package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/// How the reference's multistep solvers in latents alpha · x0 + sigma · noise read a config: their model's own
/// timesteps are whole, and named schedules span all that was trained.
final class MultistepSchedules {
    /// With fewer steps than this the last ones are of lower order, where the config does not say otherwise.
    private static final int LOWER_ORDER_FINAL_BELOW = 15;

    private MultistepSchedules() {}

    /// @param visibleTimesteps how many timesteps from the least noisy on may be visited
    /// @param karrasRounding what becomes of the times of Karras's spacing; those of the others in σ are cut to whole
    ///     ones
    static Sigmas sigmas(SamplerRequest request, int visibleTimesteps, DoubleUnaryOperator karrasRounding)
            throws Failure {
        request.config().requireFalse("use_flow_sigmas", "use_dynamic_shifting");
        TrainedSigmas trained = TrainedSigmas.of(request.config());
        ScheduleName schedule = request.configuredSchedule();
        Sigmas sigmas = schedule.sigmas(trained, Sigmas.ofTimesteps(trained, timesteps(request, visibleTimesteps)),
                request.sigmaRange(trained.sigmaMax(), trained.sigmaMin()), request.steps());
        return switch (schedule) {
            case KARRAS -> sigmas.withTimesteps(karrasRounding);
            case EXPONENTIAL, BETA_SIGMAS -> sigmas.withTimesteps(Math::floor);
            case MODEL, BETA, AYS, SGM_UNIFORM, SIMPLE -> sigmas;
        };
    }

    /// One point more than steps for linspace and leading, the last of which (the one with least noise) is not
    /// visited. With nearly as many steps as timesteps some are equal after rounding; each is visited once, where the
    /// reference divides by the zero between two.
    private static double[] timesteps(SamplerRequest request, int visibleTimesteps) throws Failure {
        SchedulerConfig config = request.config();
        int steps = request.steps();
        if (config.spacing() == TimestepSpacing.LEADING && steps >= visibleTimesteps) {
            throw new Failure.Incompatible("steps: this sampler with leading spacing takes at most "
                    + (visibleTimesteps - 1) + " with this model, found " + steps);
        }
        double[] timesteps = switch (config.spacing()) {
            case LINSPACE, LEADING ->
                    Arrays.copyOf(config.spacing().timesteps(visibleTimesteps, steps + 1, config.stepsOffset()), steps);
            case TRAILING -> TimestepSpacing.trailing(visibleTimesteps, (double) config.trainTimesteps() / steps);
        };
        double[] rounded = Arrays.stream(timesteps).map(Math::rint).distinct().toArray();
        for (double timestep : rounded) TimestepSchedules.checkTimestep(request, timestep);
        return rounded;
    }

    static Schedule schedule(SamplerRequest request, List<Schedule.Step> steps) throws Failure {
        return new Schedule(steps, request.config().predictionType(), Schedule.Parameterization.VARIANCE_PRESERVING, 1,
                TrainedSigmas.of(request.config()));
    }

    /// Whether the last steps are to be of lower order because there are few.
    static boolean usesLowerOrderFinal(SamplerRequest request, Sigmas sigmas) throws Failure {
        return request.config().bool("lower_order_final", true) && sigmas.size() < LOWER_ORDER_FINAL_BELOW;
    }
}

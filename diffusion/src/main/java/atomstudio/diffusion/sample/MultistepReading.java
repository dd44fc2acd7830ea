package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/// How the reference's multistep solvers in latents alpha · x0 + sigma · noise read a config: their model's own timesteps are whole,
/// and named schedules span all that was trained.
final class MultistepReading {
    /// With fewer steps than this the last ones are of lower order, where the config does not say otherwise.
    private static final int FEW = 15;

    private MultistepReading() {}

    /// @param visible how many timesteps from the least noisy on may be visited
    /// @param karras what becomes of the times of Karras's spacing; those of the others in σ are cut to whole ones
    static Points points(Wanted wanted, int visible, DoubleUnaryOperator karras) throws Failure {
        wanted.config().refuse("use_flow_sigmas", "use_dynamic_shifting");
        Ratios trained = Ratios.of(wanted.config());
        ScheduleName schedule = wanted.flagged();
        Points points = schedule.points(trained, Points.ofTimesteps(trained, timesteps(wanted, visible)), wanted.range(trained.most(), trained.least()), wanted.steps());
        return switch (schedule) {
            case KARRAS -> points.told(karras);
            case EXPONENTIAL, BETA_SIGMAS -> points.told(Math::floor);
            case MODEL, BETA, AYS, SGM_UNIFORM, SIMPLE -> points;
        };
    }

    /// One point more than steps for linspace and leading, the last of which (the one with least noise) is not visited. With nearly as many steps as
    /// timesteps some are equal after rounding; each is visited once, where the reference divides by the zero between two.
    private static double[] timesteps(Wanted wanted, int visible) throws Failure {
        SchedulerConfig config = wanted.config();
        int steps = wanted.steps();
        if (config.spacing() == Spacing.LEADING && steps >= visible) {
            throw new Failure.Incompatible("steps: this sampler with leading spacing takes at most " + (visible - 1) + " with this model, found " + steps);
        }
        double[] timesteps = switch (config.spacing()) {
            case LINSPACE, LEADING -> Arrays.copyOf(config.spacing().timesteps(visible, steps + 1, config.stepsOffset()), steps);
            case TRAILING -> Spacing.trailing(visible, (double) config.trainTimesteps() / steps);
        };
        double[] whole = Arrays.stream(timesteps).map(Math::rint).distinct().toArray();
        for (double timestep : whole) TrainedReading.checkTrained(wanted, timestep);
        return whole;
    }

    static Schedule schedule(Wanted wanted, List<Step> steps) throws Failure {
        return new Schedule(steps, wanted.config().prediction(), Space.VARIANCE, 1, Ratios.of(wanted.config()));
    }

    /// Whether the last steps are to be of lower order because there are few.
    static boolean few(Wanted wanted, Points points) throws Failure {
        return wanted.config().flag("lower_order_final", true) && points.size() < FEW;
    }
}

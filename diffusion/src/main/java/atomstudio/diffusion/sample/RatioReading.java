package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.List;

/// How the samplers in latents x0 + σ · noise read a config. The reference's classes and k-diffusion differ in where named schedules begin and end.
final class RatioReading {
    private RatioReading() {}

    /// As the reference: the config may name the schedule, which spans what the model's own spacing would have visited.
    static Points reference(Wanted wanted) throws Failure {
        Points model = model(wanted);
        return wanted.flagged().points(Ratios.of(wanted.config()), model, wanted.range(model.first(), model.last()), wanted.steps());
    }

    /// As k-diffusion: schedules are chosen, and span all that was trained.
    static Points kDiffusion(Wanted wanted) throws Failure {
        Ratios trained = Ratios.of(wanted.config());
        return wanted.schedule().points(trained, model(wanted), trained.range(), wanted.steps());
    }

    /// Timesteps in float32, as the reference keeps them.
    private static Points model(Wanted wanted) throws Failure {
        SchedulerConfig config = wanted.config();
        if (config.spacing() == Spacing.LEADING && wanted.steps() > config.trainTimesteps()) {
            throw new Failure.Incompatible("steps: leading spacing takes at most " + config.trainTimesteps() + " with this model, found " + wanted.steps());
        }
        double[] timesteps = config.spacing().timesteps(config.trainTimesteps(), wanted.steps(), config.stepsOffset());
        for (int i = 0; i < timesteps.length; i++) {
            timesteps[i] = (float) timesteps[i];
            TrainedReading.checkTrained(wanted, timesteps[i]);
        }
        return Points.ofTimesteps(Ratios.of(config), timesteps);
    }

    /// Leading spacing starts from √(σ² + 1) · noise, the others from σ · noise.
    static Schedule schedule(Wanted wanted, List<Step> steps) throws Failure {
        double most = steps.stream().mapToDouble(step -> step.from().ratio()).max().orElseThrow();
        double scale = wanted.config().spacing() == Spacing.LEADING ? Math.sqrt(most * most + 1) : most;
        return new Schedule(steps, wanted.config().prediction(), Space.RATIO, scale, Ratios.of(wanted.config()));
    }
}

package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.List;

/// How the samplers that walk from trained timestep to trained timestep read a config.
final class TrainedReading {
    private static final Level CLEAN = new Level(1, 0);

    private TrainedReading() {}

    /// The whole timesteps of the model's own spacing, latest first.
    static int[] timesteps(Wanted wanted) throws Failure {
        SchedulerConfig config = wanted.config();
        int train = config.trainTimesteps();
        if (wanted.steps() > train) throw new Failure.Incompatible("steps: this sampler takes at most " + train + " with this model, found " + wanted.steps());
        double[] times = config.spacing().timesteps(train, wanted.steps(), config.stepsOffset());
        int[] timesteps = new int[times.length];
        for (int i = 0; i < times.length; i++) {
            timesteps[i] = (int) Math.rint(times[i]);
            checkTrained(wanted, timesteps[i]);
        }
        return timesteps;
    }

    /// Many steps and an offset may go beyond what was trained, where noise levels repeat.
    static void checkTrained(Wanted wanted, double timestep) throws Failure {
        int train = wanted.config().trainTimesteps();
        if (timestep >= 0 && timestep <= train - 1) return;
        throw new Failure.Incompatible("steps: " + wanted.steps() + " with steps_offset " + wanted.config().stepsOffset() + " reach timestep " + Math.round(timestep)
                + ", the model has 0 to " + (train - 1) + "; take fewer");
    }

    /// Every so many-th of the timesteps that a model was distilled for. Source: Luo et al. 2023, "Latent Consistency Models", section 4.3.
    static int[] distilled(Wanted wanted) throws Failure {
        int train = wanted.config().trainTimesteps();
        int original = wanted.config().whole("original_inference_steps", 50);
        if (original < 1 || original > train) throw new Failure.Incompatible("original_inference_steps: expected 1 to " + train + ", found " + original);
        if (wanted.steps() > original) throw new Failure.Incompatible("steps: this sampler takes at most " + original + " with this model, found " + wanted.steps());
        int[] timesteps = new int[wanted.steps()];
        for (int i = 0; i < timesteps.length; i++) {
            int index = (int) Math.floor(i * ((double) original / wanted.steps()));
            timesteps[i] = (original - index) * (train / original) - 1;
        }
        return timesteps;
    }

    /// From each to the next, from the last to `end`.
    static List<Step> steps(Wanted wanted, int[] timesteps, Level end) throws Failure {
        NoiseSchedule trained = NoiseSchedule.of(wanted.config());
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < timesteps.length; i++) {
            steps.add(new Step(timesteps[i], trained.level(timesteps[i]), i + 1 < timesteps.length ? trained.level(timesteps[i + 1]) : end));
        }
        return steps;
    }

    /// Through the levels of a named schedule to no noise at all.
    static List<Step> named(Wanted wanted) throws Failure {
        return points(wanted, wanted.steps()).steps(0);
    }

    /// The same without the least noise that was trained: schedules that end there have one point more, which is not visited.
    static List<Step> namedAboveLeast(Wanted wanted) throws Failure {
        return switch (wanted.schedule()) {
            case KARRAS, EXPONENTIAL, BETA_SIGMAS -> points(wanted, wanted.steps() + 1).first(wanted.steps()).steps(0);
            case MODEL, BETA, AYS, SGM_UNIFORM, SIMPLE -> above(points(wanted, wanted.steps())).steps(0);
        };
    }

    /// With nearly as many steps as timesteps the other schedules reach timestep 0 as well.
    private static Points above(Points points) {
        boolean least = points.size() > 1 && points.timesteps()[points.size() - 1] == 0;
        return least ? points.first(points.size() - 1) : points;
    }

    private static Points points(Wanted wanted, int count) throws Failure {
        Ratios trained = Ratios.of(wanted.config());
        Points none = new Points(new double[0], new double[0]);
        return wanted.schedule().points(trained, none, trained.range(), count);
    }

    /// Where the last step ends: at no noise, or at the least that was trained.
    static Level end(SchedulerConfig config) throws Failure {
        return config.flag("set_alpha_to_one", true) ? CLEAN : NoiseSchedule.of(config).level(0);
    }

    static Schedule schedule(Wanted wanted, List<Step> steps) throws Failure {
        SchedulerConfig config = wanted.config();
        if (config.prediction() == Prediction.EPSILON && steps.getFirst().from().alpha() == 0) {
            throw new Failure.Incompatible("this sampler from zero terminal SNR: the predicted noise says nothing of the picture there; the model must predict v_prediction or sample");
        }
        return new Schedule(steps, config.prediction(), Space.VARIANCE, 1, Ratios.of(config));
    }
}

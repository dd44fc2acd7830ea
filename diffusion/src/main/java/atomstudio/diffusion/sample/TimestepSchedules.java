package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.List;

/// How the samplers that walk from trained timestep to trained timestep read a config.
final class TimestepSchedules {
    private static final NoiseLevel NO_NOISE = new NoiseLevel(1, 0);

    private TimestepSchedules() {}

    /// The whole timesteps of the model's own spacing, latest first.
    static int[] timesteps(SamplerRequest request) throws Failure {
        SchedulerConfig config = request.config();
        int trainTimesteps = config.trainTimesteps();
        if (request.steps() > trainTimesteps)
            throw new Failure.Incompatible("steps: this sampler takes at most " + trainTimesteps
                    + " with this model, found " + request.steps());
        double[] spaced = config.spacing().timesteps(trainTimesteps, request.steps(), config.stepsOffset());
        int[] timesteps = new int[spaced.length];
        for (int i = 0; i < spaced.length; i++) {
            timesteps[i] = (int) Math.rint(spaced[i]);
            checkTimestep(request, timesteps[i]);
        }
        return timesteps;
    }

    /// Many steps and an offset may go beyond what was trained, where noise levels repeat.
    static void checkTimestep(SamplerRequest request, double timestep) throws Failure {
        int trainTimesteps = request.config().trainTimesteps();
        if (timestep >= 0 && timestep <= trainTimesteps - 1) return;
        throw new Failure.Incompatible("steps: " + request.steps() + " with steps_offset "
                + request.config().stepsOffset() + " reach timestep " + Math.round(timestep)
                + ", the model has 0 to " + (trainTimesteps - 1) + "; take fewer");
    }

    /// Every so many-th of the timesteps that a model was distilled for. Source: Luo et al. 2023, "Latent Consistency
    /// Models", section 4.3.
    static int[] distillationTimesteps(SamplerRequest request) throws Failure {
        int trainTimesteps = request.config().trainTimesteps();
        int originalSteps = request.config().integer("original_inference_steps", 50);
        if (originalSteps < 1 || originalSteps > trainTimesteps)
            throw new Failure.Incompatible(
                    "original_inference_steps: expected 1 to " + trainTimesteps + ", found " + originalSteps);
        if (request.steps() > originalSteps)
            throw new Failure.Incompatible("steps: this sampler takes at most " + originalSteps
                    + " with this model, found " + request.steps());
        int[] timesteps = new int[request.steps()];
        for (int i = 0; i < timesteps.length; i++) {
            int index = (int) Math.floor(i * ((double) originalSteps / request.steps()));
            timesteps[i] = (originalSteps - index) * (trainTimesteps / originalSteps) - 1;
        }
        return timesteps;
    }

    /// From each to the next, from the last to `end`.
    static List<Schedule.Step> steps(SamplerRequest request, int[] timesteps, NoiseLevel finalLevel) throws Failure {
        NoiseSchedule noiseSchedule = NoiseSchedule.of(request.config());
        List<Schedule.Step> steps = new ArrayList<>();
        for (int i = 0; i < timesteps.length; i++) {
            steps.add(new Schedule.Step(timesteps[i], noiseSchedule.level(timesteps[i]),
                    i + 1 < timesteps.length ? noiseSchedule.level(timesteps[i + 1]) : finalLevel));
        }
        return steps;
    }

    /// Through the levels of a named schedule to no noise at all.
    static List<Schedule.Step> namedSteps(SamplerRequest request) throws Failure {
        return sigmas(request, request.steps()).steps(0);
    }

    /// The same without the least noise that was trained: schedules that end there have one point more, which is not
    /// visited.
    static List<Schedule.Step> namedStepsAboveSigmaMin(SamplerRequest request) throws Failure {
        return switch (request.schedule()) {
            case KARRAS, EXPONENTIAL, BETA_SIGMAS ->
                    sigmas(request, request.steps() + 1).first(request.steps()).steps(0);
            case MODEL, BETA, AYS, SGM_UNIFORM, SIMPLE ->
                    withoutTimestepZero(sigmas(request, request.steps())).steps(0);
        };
    }

    /// With nearly as many steps as timesteps the other schedules reach timestep 0 as well.
    private static Sigmas withoutTimestepZero(Sigmas sigmas) {
        boolean endsAtZero = sigmas.size() > 1 && sigmas.timesteps()[sigmas.size() - 1] == 0;
        return endsAtZero ? sigmas.first(sigmas.size() - 1) : sigmas;
    }

    private static Sigmas sigmas(SamplerRequest request, int count) throws Failure {
        TrainedSigmas trained = TrainedSigmas.of(request.config());
        Sigmas empty = new Sigmas(new double[0], new double[0]);
        return request.schedule().sigmas(trained, empty, trained.sigmaRange(), count);
    }

    /// Where the last step ends: at no noise, or at the least that was trained.
    static NoiseLevel finalLevel(SchedulerConfig config) throws Failure {
        return config.bool("set_alpha_to_one", true) ? NO_NOISE : NoiseSchedule.of(config).level(0);
    }

    static Schedule schedule(SamplerRequest request, List<Schedule.Step> steps) throws Failure {
        SchedulerConfig config = request.config();
        if (config.predictionType() == PredictionType.EPSILON && steps.getFirst().from().alphaT() == 0) {
            throw new Failure.Incompatible(
                    "this sampler from zero terminal SNR: the predicted noise says nothing of the picture there; the model must predict v_prediction or sample");
        }
        return new Schedule(steps, config.predictionType(), Schedule.Parameterization.VARIANCE_PRESERVING, 1,
                TrainedSigmas.of(config));
    }
}

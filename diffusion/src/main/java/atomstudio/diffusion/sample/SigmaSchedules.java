package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.List;

/// How the samplers in latents x0 + σ · noise read a config. The reference's classes and k-diffusion differ in where
/// named schedules begin and end.
final class SigmaSchedules {
    private SigmaSchedules() {}

    /// As the reference: the config may name the schedule, which spans what the model's own spacing would have visited.
    static Sigmas diffusersSigmas(SamplerRequest request) throws Failure {
        Sigmas model = modelSigmas(request);
        return request.configuredSchedule()
                .sigmas(TrainedSigmas.of(request.config()), model, request.sigmaRange(model.first(), model.last()),
                        request.steps());
    }

    /// As k-diffusion: schedules are chosen, and span all that was trained.
    static Sigmas kDiffusionSigmas(SamplerRequest request) throws Failure {
        TrainedSigmas trained = TrainedSigmas.of(request.config());
        return request.schedule().sigmas(trained, modelSigmas(request), trained.sigmaRange(), request.steps());
    }

    /// Timesteps in float32, as the reference keeps them.
    private static Sigmas modelSigmas(SamplerRequest request) throws Failure {
        SchedulerConfig config = request.config();
        if (config.spacing() == TimestepSpacing.LEADING && request.steps() > config.trainTimesteps()) {
            throw new Failure.Incompatible("steps: leading spacing takes at most " + config.trainTimesteps()
                    + " with this model, found " + request.steps());
        }
        double[] timesteps = config.spacing().timesteps(config.trainTimesteps(), request.steps(), config.stepsOffset());
        for (int i = 0; i < timesteps.length; i++) {
            timesteps[i] = (float) timesteps[i];
            TimestepSchedules.checkTimestep(request, timesteps[i]);
        }
        return Sigmas.ofTimesteps(TrainedSigmas.of(config), timesteps);
    }

    /// Leading spacing starts from √(σ² + 1) · noise, the others from σ · noise.
    static Schedule schedule(SamplerRequest request, List<Schedule.Step> steps) throws Failure {
        double sigmaMax = steps.stream().mapToDouble(step -> step.from().sigma()).max().orElseThrow();
        double initNoiseSigma = request.config().spacing() == TimestepSpacing.LEADING
                ? Math.sqrt(sigmaMax * sigmaMax + 1)
                : sigmaMax;
        return new Schedule(steps, request.config().predictionType(), Schedule.Parameterization.VARIANCE_EXPLODING,
                initNoiseSigma, TrainedSigmas.of(request.config()));
    }
}

package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.List;

/// What a plan is made of: a config as the sampler's reference class reads it, and what was chosen.
///
/// @param eta the sampler's own where nothing was chosen
record SamplerRequest(SchedulerConfig config, ScheduleName schedule, int steps, double eta) {
    /// What spacings in σ span, where the config does not say.
    ScheduleName.SigmaRange sigmaRange(double sigmaMax, double sigmaMin) throws Failure {
        return new ScheduleName.SigmaRange(config.number("sigma_max", sigmaMax), config.number("sigma_min", sigmaMin));
    }

    /// The schedule, where the reference class lets the model's config name one.
    ScheduleName configuredSchedule() throws Failure {
        if (schedule != ScheduleName.MODEL) return schedule;
        List<ScheduleName> configured = new ArrayList<>();
        if (config.bool("use_karras_sigmas", false)) configured.add(ScheduleName.KARRAS);
        if (config.bool("use_exponential_sigmas", false)) configured.add(ScheduleName.EXPONENTIAL);
        if (config.bool("use_beta_sigmas", false)) configured.add(ScheduleName.BETA_SIGMAS);
        if (configured.size() > 1)
            throw new Failure.Incompatible(
                    "scheduler_config.json: expected one of use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas, found "
                            + configured.size());
        return configured.isEmpty() ? ScheduleName.MODEL : configured.getFirst();
    }
}

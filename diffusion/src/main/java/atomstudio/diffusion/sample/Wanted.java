package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.List;

/// What a plan is made of: a config as the sampler's reference class reads it, and what was chosen.
///
/// @param eta the sampler's own where nothing was chosen
record Wanted(SchedulerConfig config, ScheduleName schedule, int steps, double eta) {
    /// What spacings in σ span, where the config does not say.
    ScheduleName.Range range(double most, double least) throws Failure {
        return new ScheduleName.Range(config.number("sigma_max", most), config.number("sigma_min", least));
    }

    /// The schedule, where the reference class lets the model's config name one.
    ScheduleName flagged() throws Failure {
        if (schedule != ScheduleName.MODEL) return schedule;
        List<ScheduleName> named = new ArrayList<>();
        if (config.flag("use_karras_sigmas", false)) named.add(ScheduleName.KARRAS);
        if (config.flag("use_exponential_sigmas", false)) named.add(ScheduleName.EXPONENTIAL);
        if (config.flag("use_beta_sigmas", false)) named.add(ScheduleName.BETA_SIGMAS);
        if (named.size() > 1) throw new Failure.Incompatible("scheduler_config.json: expected one of use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas, found " + named.size());
        return named.isEmpty() ? ScheduleName.MODEL : named.getFirst();
    }
}

package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Optional;
import java.util.OptionalDouble;

/// What a person chooses of the way from noise to picture.
/// @param eta how much fresh noise a sampler adds on its way that lets one choose; its own amount where empty
/// @param prediction what the network's output means, where the model's config is not to be believed
public record Sampling(SamplerName sampler, ScheduleName schedule, int steps, OptionalDouble eta, Optional<Prediction> prediction) {
    public static Sampling of(SamplerName sampler, ScheduleName schedule, int steps) {
        return new Sampling(sampler, schedule, steps, OptionalDouble.empty(), Optional.empty());
    }

    /// The plan for generation with a model of this config.
    /// @throws Failure.Incompatible for a choice that this sampler or model does not have, or steps that do not fit
    public Plan plan(SchedulerConfig config) throws Failure {
        return sampler.forGeneration(config, schedule, steps);
    }
}

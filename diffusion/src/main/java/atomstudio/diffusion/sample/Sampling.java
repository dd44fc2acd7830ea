package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// What a person chooses of the way from noise to picture.
/// @param eta how much fresh noise a sampler adds on its way that lets one choose, 0 to 1; its own amount where empty
/// @param prediction what the network's output means, where the model's config is not to be believed
public record Sampling(SamplerName sampler, ScheduleName schedule, int steps, OptionalDouble eta, Optional<Prediction> prediction) {
    public static Sampling of(SamplerName sampler, ScheduleName schedule, int steps) {
        return new Sampling(sampler, schedule, steps, OptionalDouble.empty(), Optional.empty());
    }

    public Sampling withEta(double chosen) {
        return new Sampling(sampler, schedule, steps, OptionalDouble.of(chosen), prediction);
    }

    public Sampling withPrediction(Prediction chosen) {
        return new Sampling(sampler, schedule, steps, eta, Optional.of(chosen));
    }

    /// The plan for generation with a model of this config, as the reference pipeline makes it: offset 1, no clipping.
    /// @throws Failure.Incompatible for a choice that this sampler or model does not have, or steps that do not fit
    /// @throws Failure.NotBuilt a setting of the config that this program does not do yet
    public Plan plan(SchedulerConfig config) throws Failure {
        SchedulerConfig general = config.forGeneration();
        return planAsWritten(prediction.isPresent() ? general.withPrediction(prediction.get()) : general);
    }

    /// The plan with the config as it is.
    Plan planAsWritten(SchedulerConfig config) throws Failure {
        if (!sampler.schedules().contains(schedule)) {
            throw new Failure.Incompatible("schedule " + schedule.option() + " with sampler " + sampler.option() + ": expected "
                    + sampler.schedules().stream().map(ScheduleName::option).collect(Collectors.joining(", ")) + "; choose that, or another sampler");
        }
        if (eta.isPresent() && sampler.eta().isEmpty()) {
            throw new Failure.Incompatible("eta with sampler " + sampler.option() + ": its noise cannot be chosen; leave eta out, or choose " + named(name -> name.eta().isPresent()));
        }
        double fresh = eta.orElse(sampler.eta().orElse(0));
        if (!(fresh >= 0 && fresh <= 1)) throw new Failure.Incompatible("eta: expected 0 to 1, found " + fresh);
        return sampler.plan(new Wanted(config.forClass(sampler.referenceClass()), schedule, steps, fresh));
    }

    private static String named(Predicate<SamplerName> which) {
        return Arrays.stream(SamplerName.values()).filter(which).map(SamplerName::option).collect(Collectors.joining(", "));
    }
}

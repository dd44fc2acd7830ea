package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// The user's sampling settings.
/// @param eta share of fresh noise, 0 to 1, for samplers that have one; their default if empty
/// @param predictionType overrides the model's config
public record SamplingSettings(SamplerName sampler, ScheduleName schedule, int steps, OptionalDouble eta,
        Optional<PredictionType> predictionType) {
    /// The number of Stable Diffusion's timesteps.
    public static final int MAX_STEPS = 1000;

    /// With up to this many steps, leading and linspace spacing start far below the largest noise, or (linspace with
    /// one step) at none; distilled models and adapters use trailing.
    /// Source: Lin, Liu, Li and Yang 2024, "Common Diffusion Noise Schedules", section 3.3.
    private static final int MAX_FEW_STEPS = 4;

    public static SamplingSettings of(SamplerName sampler, ScheduleName schedule, int steps) {
        return new SamplingSettings(sampler, schedule, steps, OptionalDouble.empty(), Optional.empty());
    }

    public SamplingSettings withEta(double chosen) {
        return new SamplingSettings(sampler, schedule, steps, OptionalDouble.of(chosen), predictionType);
    }

    public SamplingSettings withPredictionType(PredictionType chosen) {
        return new SamplingSettings(sampler, schedule, steps, eta, Optional.of(chosen));
    }

    /// The plan for generation with a model of this config, as in diffusers' pipeline: offset 1, no clipping. Unlike
    /// there, few steps use trailing spacing if the config has none.
    /// @throws Failure.Incompatible for settings that the sampler or the model does not support
    /// @throws Failure.Unsupported for a setting of the config that is not supported
    public SamplingPlan plan(SchedulerConfig config) throws Failure {
        SchedulerConfig generationConfig = generationConfig(config);
        return planUnmodified(
                usesTrailingSpacing(generationConfig) ? generationConfig.withSpacing(Sigmas.TimestepSpacing.TRAILING)
                        : generationConfig);
    }

    /// How the plan differs from the config or the number of steps, one sentence each.
    public List<String> warnings(SchedulerConfig config) throws Failure {
        SamplingPlan plan = plan(config);
        List<String> warnings = new ArrayList<>();
        SchedulerConfig generationConfig = generationConfig(config);
        if (usesTrailingSpacing(generationConfig)) {
            SamplingPlan unmodified = planUnmodified(generationConfig);
            if (!unmodified.equals(plan))
                warnings.add(String.format(Locale.ROOT,
                        "Timestep spacing is trailing, from %.0f on: the model's config has none, and the default "
                                + "spacing starts at %.0f with %d steps.",
                        plan.steps().getFirst().timestep(),
                        unmodified.steps().getFirst().timestep(), steps));
        }
        int actualSteps = plan.steps().size();
        if (actualSteps != steps)
            warnings.add("Sampled in " + actualSteps + " steps, not " + steps + ": " + sampler.option()
                    + " with schedule " + schedule.option() + " has only " + actualSteps
                    + " distinct timesteps with this model.");
        return List.copyOf(warnings);
    }

    private SchedulerConfig generationConfig(SchedulerConfig config) {
        SchedulerConfig adjusted = config.forGeneration();
        return predictionType.isPresent() ? adjusted.withPredictionType(predictionType.get()) : adjusted;
    }

    private boolean usesTrailingSpacing(SchedulerConfig config) throws Failure {
        return steps <= MAX_FEW_STEPS && !config.hasSpacing();
    }

    /// The plan with the unmodified config.
    public SamplingPlan planUnmodified(SchedulerConfig config) throws Failure {
        if (!sampler.schedules().contains(schedule)) {
            String supported = sampler.schedules().stream().map(ScheduleName::option).collect(Collectors.joining(", "));
            throw new Failure.Incompatible("schedule " + schedule.option() + " with sampler " + sampler.option()
                    + ": expected " + supported + "; choose one of these, or another sampler");
        }
        if (eta.isPresent() && sampler.defaultEta().isEmpty()) {
            throw new Failure.Incompatible(
                    "eta: not supported by sampler " + sampler.option() + "; omit it, or choose "
                            + optionsWhere(name -> name.defaultEta().isPresent()));
        }
        double effectiveEta = eta.orElse(sampler.defaultEta().orElse(0));
        if (!(effectiveEta >= 0 && effectiveEta <= 1))
            throw new Failure.Incompatible("eta: expected 0 to 1, found " + effectiveEta);
        if (steps < 1 || steps > MAX_STEPS)
            throw new Failure.Incompatible("steps: expected 1 to " + MAX_STEPS + ", found " + steps);
        return sampler.plan(Scheduler.of(this, config), effectiveEta);
    }

    private static String optionsWhere(Predicate<SamplerName> filter) {
        return Arrays.stream(SamplerName.values())
                .filter(filter)
                .map(SamplerName::option)
                .collect(Collectors.joining(", "));
    }
}

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

/// What a person chooses of the way from noise to picture.
/// @param eta how much fresh noise a sampler adds on its way that lets one choose, 0 to 1; its own amount where empty
/// @param predictionType what the network's output means, where the model's config is not to be believed
public record SamplingSettings(SamplerName sampler, ScheduleName schedule, int steps, OptionalDouble eta,
        Optional<PredictionType> predictionType) {
    /// The most steps that can be chosen anywhere: as many as Stable Diffusion has timesteps.
    public static final int MAX_STEPS = 1000;

    /// Up to so many steps, leading and linspace spacing leave out much of the noise, or (linspace with one step) all
    /// of it; distilled models and adapters, which are made for so few, take trailing. Source: Lin, Liu, Li and Yang
    /// 2024, "Common Diffusion Noise Schedules", section 3.3.
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

    /// The plan for generation with a model of this config, as the reference pipeline makes it: offset 1, no
    /// clipping. Unlike there, few steps are spaced trailing where the config names no spacing.
    /// @throws Failure.Incompatible for a choice that this sampler or model does not have, or steps that do not fit
    /// @throws Failure.NotBuilt a setting of the config that this program does not do yet
    public SamplingPlan plan(SchedulerConfig config) throws Failure {
        SchedulerConfig generationConfig = generationConfig(config);
        return planUnmodified(
                usesTrailingSpacing(generationConfig) ? generationConfig.withSpacing(TimestepSpacing.TRAILING)
                        : generationConfig);
    }

    /// What the plan for a config does differently from what the config or the number of steps says, one sentence each.
    public List<String> warnings(SchedulerConfig config) throws Failure {
        SamplingPlan plan = plan(config);
        List<String> warnings = new ArrayList<>();
        SchedulerConfig generationConfig = generationConfig(config);
        if (usesTrailingSpacing(generationConfig)) {
            SamplingPlan unmodified = planUnmodified(generationConfig);
            if (!unmodified.equals(plan))
                warnings.add(String.format(Locale.ROOT,
                        "Timesteps are spaced trailing, from %.0f on: the model's configuration names no spacing, and the usual one starts at %.0f with so few steps (%d).",
                        plan.schedule().steps().getFirst().timestep(),
                        unmodified.schedule().steps().getFirst().timestep(), steps));
        }
        int actualSteps = plan.schedule().size();
        if (actualSteps != steps)
            warnings.add("Sampled in " + actualSteps + " steps, not " + steps + ": " + sampler.option()
                    + " with schedule " + schedule.option() + " has so many different timesteps here.");
        return List.copyOf(warnings);
    }

    private SchedulerConfig generationConfig(SchedulerConfig config) {
        SchedulerConfig adjusted = config.forGeneration();
        return predictionType.isPresent() ? adjusted.withPredictionType(predictionType.get()) : adjusted;
    }

    private boolean usesTrailingSpacing(SchedulerConfig config) throws Failure {
        return steps <= MAX_FEW_STEPS && !config.hasSpacing();
    }

    /// The plan with the config as it is.
    SamplingPlan planUnmodified(SchedulerConfig config) throws Failure {
        if (!sampler.schedules().contains(schedule)) {
            throw new Failure.Incompatible(
                    "schedule " + schedule.option() + " with sampler " + sampler.option() + ": expected "
                            + sampler.schedules().stream().map(ScheduleName::option).collect(Collectors.joining(", "))
                            + "; choose that, or another sampler");
        }
        if (eta.isPresent() && sampler.defaultEta().isEmpty()) {
            throw new Failure.Incompatible(
                    "eta with sampler " + sampler.option() + ": its noise cannot be chosen; leave eta out, or choose "
                            + optionsWhere(name -> name.defaultEta().isPresent()));
        }
        double effectiveEta = eta.orElse(sampler.defaultEta().orElse(0));
        if (!(effectiveEta >= 0 && effectiveEta <= 1))
            throw new Failure.Incompatible("eta: expected 0 to 1, found " + effectiveEta);
        SamplingPlan plan = sampler
                .plan(new SamplerRequest(config.forClass(sampler.referenceClass()), schedule, steps, effectiveEta));
        checkDecreasing(plan.schedule());
        return plan;
    }

    /// Samplers divide by differences of noise levels. Only the last step may have no length: some schedules visit
    /// their last level twice.
    private void checkDecreasing(Schedule checked) throws Failure {
        List<Schedule.Step> all = checked.steps();
        for (int i = 0; i < all.size(); i++) {
            Schedule.Step step = all.get(i);
            double from = step.from().sigma();
            double to = step.to().sigma();
            boolean decreases = i + 1 == all.size() ? from >= to : from > to && from > all.get(i + 1).from().sigma();
            boolean mayBePureNoise = i == 0
                    && checked.parameterization() == Schedule.Parameterization.VARIANCE_PRESERVING;
            boolean valid = Double.isFinite(step.timestep()) && from > 0 && to >= 0
                    && (Double.isFinite(from) || mayBePureNoise);
            if (decreases && valid) continue;
            throw new Failure.Incompatible(String.format(Locale.ROOT,
                    "sampler %s, schedule %s, %d steps: expected noise that falls from step to step, found sigma %s, then %s, at step %d (timestep %s); take fewer steps or another schedule, or check the betas in scheduler_config.json",
                    sampler.option(), schedule.option(), steps, from,
                    i + 1 < all.size() ? all.get(i + 1).from().sigma() : to, i + 1, step.timestep()));
        }
    }

    private static String optionsWhere(Predicate<SamplerName> filter) {
        return Arrays.stream(SamplerName.values())
                .filter(filter)
                .map(SamplerName::option)
                .collect(Collectors.joining(", "));
    }
}

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
/// @param prediction what the network's output means, where the model's config is not to be believed
public record Sampling(SamplerName sampler, ScheduleName schedule, int steps, OptionalDouble eta, Optional<Prediction> prediction) {
    /// The most steps that can be chosen anywhere: as many as Stable Diffusion has timesteps.
    public static final int MOST_STEPS = 1000;

    /// Up to so many steps, leading and linspace spacing leave out much of the noise, or (linspace with one step) all of it; distilled models
    /// and adapters, which are made for so few, take trailing. Source: Lin, Liu, Li and Yang 2024, "Common Diffusion Noise Schedules", section 3.3.
    private static final int FEW = 4;

    public static Sampling of(SamplerName sampler, ScheduleName schedule, int steps) {
        return new Sampling(sampler, schedule, steps, OptionalDouble.empty(), Optional.empty());
    }

    public Sampling withEta(double chosen) {
        return new Sampling(sampler, schedule, steps, OptionalDouble.of(chosen), prediction);
    }

    public Sampling withPrediction(Prediction chosen) {
        return new Sampling(sampler, schedule, steps, eta, Optional.of(chosen));
    }

    /// The plan for generation with a model of this config, as the reference pipeline makes it: offset 1, no clipping. Unlike there, few steps are
    /// spaced trailing where the config names no spacing.
    /// @throws Failure.Incompatible for a choice that this sampler or model does not have, or steps that do not fit
    /// @throws Failure.NotBuilt a setting of the config that this program does not do yet
    public Plan plan(SchedulerConfig config) throws Failure {
        SchedulerConfig general = general(config);
        return planAsWritten(spacesFew(general) ? general.withSpacing(Spacing.TRAILING) : general);
    }

    /// What the plan for a config does differently from what the config or the number of steps says, one sentence each.
    public List<String> notes(SchedulerConfig config) throws Failure {
        Plan plan = plan(config);
        List<String> notes = new ArrayList<>();
        SchedulerConfig general = general(config);
        if (spacesFew(general)) {
            Plan own = planAsWritten(general);
            if (!own.equals(plan)) notes.add(String.format(Locale.ROOT, "Timesteps are spaced trailing, from %.0f on: the model's configuration names no spacing, and the usual one starts at %.0f with so few steps (%d).",
                    plan.schedule().steps().getFirst().timestep(), own.schedule().steps().getFirst().timestep(), steps));
        }
        int visited = plan.schedule().size();
        if (visited != steps) notes.add("Sampled in " + visited + " steps, not " + steps + ": " + sampler.option() + " with schedule " + schedule.option() + " has so many different timesteps here.");
        return List.copyOf(notes);
    }

    private SchedulerConfig general(SchedulerConfig config) {
        SchedulerConfig general = config.forGeneration();
        return prediction.isPresent() ? general.withPrediction(prediction.get()) : general;
    }

    private boolean spacesFew(SchedulerConfig config) throws Failure {
        return steps <= FEW && !config.namesSpacing();
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
        Plan plan = sampler.plan(new Wanted(config.forClass(sampler.referenceClass()), schedule, steps, fresh));
        checkDecreasing(plan.schedule());
        return plan;
    }

    /// Samplers divide by differences of noise levels. Only the last step may have no length: some schedules visit their last level twice.
    private void checkDecreasing(Schedule planned) throws Failure {
        List<Step> all = planned.steps();
        for (int i = 0; i < all.size(); i++) {
            Step step = all.get(i);
            double from = step.from().ratio();
            double to = step.to().ratio();
            boolean falls = i + 1 == all.size() ? from >= to : from > to && from > all.get(i + 1).from().ratio();
            boolean noiseAlone = i == 0 && planned.space() == Space.VARIANCE;
            boolean numbers = Double.isFinite(step.timestep()) && from > 0 && to >= 0 && (Double.isFinite(from) || noiseAlone);
            if (falls && numbers) continue;
            throw new Failure.Incompatible(String.format(Locale.ROOT, "sampler %s, schedule %s, %d steps: expected noise that falls from step to step, found sigma %s, then %s, at step %d (timestep %s); take fewer steps or another schedule, or check the betas in scheduler_config.json",
                    sampler.option(), schedule.option(), steps, from, i + 1 < all.size() ? all.get(i + 1).from().ratio() : to, i + 1, step.timestep()));
        }
    }

    private static String named(Predicate<SamplerName> which) {
        return Arrays.stream(SamplerName.values()).filter(which).map(SamplerName::option).collect(Collectors.joining(", "));
    }
}

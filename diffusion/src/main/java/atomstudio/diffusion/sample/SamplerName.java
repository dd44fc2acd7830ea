package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Arrays;
import java.util.Optional;

/// The samplers by name: as the command line calls them, and the reference class whose reading of a model's config they follow.
public enum SamplerName {
    DDIM("ddim", "DDIMScheduler"),
    EULER("euler", "EulerDiscreteScheduler"),
    EULER_ANCESTRAL("euler-a", "EulerAncestralDiscreteScheduler"),
    DPM_PLUS_PLUS_2M("dpmpp-2m", "DPMSolverMultistepScheduler");

    private final String option;
    private final String referenceClass;

    SamplerName(String option, String referenceClass) {
        this.option = option;
        this.referenceClass = referenceClass;
    }

    /// The command line's word, for example `dpmpp-2m`.
    public String option() {
        return option;
    }

    public String referenceClass() {
        return referenceClass;
    }

    public static Optional<SamplerName> ofOption(String option) {
        return Arrays.stream(values()).filter(name -> name.option.equals(option)).findFirst();
    }

    /// The sampler that stands for a reference class, if it is built.
    public static Optional<SamplerName> ofClass(String referenceClass) {
        return Arrays.stream(values()).filter(name -> name.referenceClass.equals(referenceClass)).findFirst();
    }

    /// Plans for generation, as the reference pipeline does: offset 1, no clipping, then this sampler's reading of the config.
    /// @throws Failure.Incompatible Karras's spacing for a sampler whose reference has none, or steps that do not fit
    /// @throws Failure.NotBuilt a setting of the config that this program does not do yet
    public Plan forGeneration(SchedulerConfig config, ScheduleName schedule, int steps) throws Failure {
        SchedulerConfig general = config.forGeneration();
        return switch (schedule) {
            case MODEL -> plan(general, steps);
            case KARRAS -> {
                if (!karras()) throw new Failure.Incompatible("schedule karras with sampler " + option + ": expected euler or dpmpp-2m; choose one of these, or schedule model");
                yield plan(general.withKarras(), steps);
            }
        };
    }

    /// Whether the reference has Karras's spacing for this sampler.
    public boolean karras() {
        return switch (this) {
            case EULER, DPM_PLUS_PLUS_2M -> true;
            case DDIM, EULER_ANCESTRAL -> false;
        };
    }

    /// Plans with the config as it is, read as the reference class reads it.
    /// @throws Failure.NotBuilt a setting of the config that this program does not do yet
    public Plan plan(SchedulerConfig config, int steps) throws Failure {
        if (steps < 1) throw new Failure.Incompatible("steps: expected at least 1, found " + steps);
        SchedulerConfig read = config.forClass(referenceClass);
        return switch (this) {
            case DDIM -> Ddim.plan(read, steps);
            case EULER -> Euler.plan(read, steps);
            case EULER_ANCESTRAL -> EulerAncestral.plan(read, steps);
            case DPM_PLUS_PLUS_2M -> DpmPlusPlus2M.plan(read, steps);
        };
    }

    /// Plans for a reference class.
    /// @throws Failure.NotBuilt also for a class that has no sampler here
    public static Plan planClass(String referenceClass, SchedulerConfig config, int steps) throws Failure {
        Optional<SamplerName> name = ofClass(referenceClass);
        if (name.isEmpty()) throw new Failure.NotBuilt("sampler " + referenceClass + " is not built yet");
        return name.get().plan(config, steps);
    }
}

package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/// The samplers by name: as the command line and as other programs call them, and the reference class whose reading
/// of a model's config they follow.
public enum SamplerName {
    EULER("euler", "Euler", "EulerDiscreteScheduler"),
    EULER_ANCESTRAL("euler-a", "Euler a", "EulerAncestralDiscreteScheduler"),
    HEUN("heun", "Heun", "HeunDiscreteScheduler"),
    LMS("lms", "LMS", "LMSDiscreteScheduler"),
    DDIM("ddim", "DDIM", "DDIMScheduler"),
    DDPM("ddpm", "DDPM", "DDPMScheduler"),
    PNDM("pndm", "PLMS", "PNDMScheduler"),
    DPM_PLUS_PLUS_2M("dpmpp-2m", "DPM++ 2M", "DPMSolverMultistepScheduler"),
    DPM_PLUS_PLUS_2M_SDE("dpmpp-2m-sde", "DPM++ 2M SDE", "DPMSolverMultistepScheduler"),
    DPM_PLUS_PLUS_SDE("dpmpp-sde", "DPM++ SDE", "DPMSolverSDEScheduler"),
    DPM_PLUS_PLUS_2S_ANCESTRAL("dpmpp-2s-a", "DPM++ 2S a", "EulerAncestralDiscreteScheduler"),
    DPM_PLUS_PLUS_3M_SDE("dpmpp-3m-sde", "DPM++ 3M SDE", "EulerAncestralDiscreteScheduler"),
    DPM2("dpm2", "DPM2", "KDPM2DiscreteScheduler"),
    DPM2_ANCESTRAL("dpm2-a", "DPM2 a", "KDPM2AncestralDiscreteScheduler"),
    UNIPC("unipc", "UniPC", "UniPCMultistepScheduler"),
    DEIS("deis", "DEIS", "DEISMultistepScheduler"),
    LCM("lcm", "LCM", "LCMScheduler"),
    TCD("tcd", "TCD", "TCDScheduler");

    private final String option;
    private final String title;
    private final String referenceClass;

    SamplerName(String option, String title, String referenceClass) {
        this.option = option;
        this.title = title;
        this.referenceClass = referenceClass;
    }

    /// The command line's word, for example `dpmpp-2m`.
    public String option() {
        return option;
    }

    /// What other programs call it, for example `DPM++ 2M`.
    public String title() {
        return title;
    }

    public String referenceClass() {
        return referenceClass;
    }

    public static Optional<SamplerName> ofOption(String option) {
        return Arrays.stream(values()).filter(name -> name.option.equals(option)).findFirst();
    }

    /// The sampler that a model's config names.
    /// @throws Failure.NotBuilt for a reference class, or a variant of one, that is not here
    public static SamplerName of(SchedulerConfig config) throws Failure {
        return switch (config.className()) {
            case "DPMSolverMultistepScheduler" -> dpmSolverMultistep(config);
            case "PNDMScheduler" -> {
                // The reference's class does not read the key; ours would divide by zero at the last timestep.
                if (config.hasZeroTerminalSnr()) throw config.unsupported("rescale_betas_zero_snr", "true");
                yield PNDM;
            }
            case "DPMSolverSDEScheduler" ->
                    throw config.unsupported("its own reading of a config", "(dpmpp-sde follows k-diffusion)");
            default -> Arrays.stream(values())
                    .filter(name -> name.referenceClass.equals(config.className()))
                    .findFirst()
                    .orElseThrow(() -> new Failure.Unsupported("sampler " + config.className() + " is not built yet"));
        };
    }

    /// The same, empty where it is not built.
    public static Optional<SamplerName> ofSupported(SchedulerConfig config) throws Failure {
        try {
            return Optional.of(of(config));
        } catch (Failure.Unsupported e) {
            return Optional.empty();
        }
    }

    private static SamplerName dpmSolverMultistep(SchedulerConfig config) throws Failure {
        int order = config.integer("solver_order", 2);
        if (order > 2) throw config.unsupported("solver_order", Integer.toString(order));
        String algorithm = config.string("algorithm_type", "dpmsolver++");
        return switch (algorithm) {
            case "dpmsolver++", "deis" -> DPM_PLUS_PLUS_2M;
            case "sde-dpmsolver++" -> DPM_PLUS_PLUS_2M_SDE;
            default -> throw config.unsupported("algorithm_type", algorithm);
        };
    }

    /// The schedules that it takes. PNDM's weights are for equal steps, TCD's steps for the timesteps that a model
    /// was distilled for.
    public Set<ScheduleName> schedules() {
        return switch (this) {
            case PNDM, TCD -> EnumSet.of(ScheduleName.MODEL);
            case EULER, EULER_ANCESTRAL, HEUN, LMS, DDIM, DDPM, DPM_PLUS_PLUS_2M, DPM_PLUS_PLUS_2M_SDE,
                    DPM_PLUS_PLUS_SDE, DPM_PLUS_PLUS_2S_ANCESTRAL,
                    DPM_PLUS_PLUS_3M_SDE, DPM2, DPM2_ANCESTRAL, UNIPC, DEIS, LCM -> EnumSet.allOf(ScheduleName.class);
        };
    }

    /// The schedule that it takes where nothing else is chosen: the model's own, but for DPM++ 3M SDE, whose
    /// extrapolation breaks up over the long last steps of even timesteps; its author and other programs give it the
    /// exponential one.
    public ScheduleName defaultSchedule() {
        return this == DPM_PLUS_PLUS_3M_SDE ? ScheduleName.EXPONENTIAL : ScheduleName.MODEL;
    }

    /// How much fresh noise it adds on its way where nothing else is chosen; empty where that cannot be chosen.
    public OptionalDouble defaultEta() {
        return switch (this) {
            case DDIM -> OptionalDouble.of(0);
            case TCD -> OptionalDouble.of(0.3);
            case EULER_ANCESTRAL, DPM_PLUS_PLUS_2M_SDE, DPM_PLUS_PLUS_SDE, DPM_PLUS_PLUS_2S_ANCESTRAL,
                    DPM_PLUS_PLUS_3M_SDE, DPM2_ANCESTRAL -> OptionalDouble.of(1);
            case EULER, HEUN, LMS, DDPM, PNDM, DPM_PLUS_PLUS_2M, DPM2, UNIPC, DEIS, LCM -> OptionalDouble.empty();
        };
    }

    /// Plans with a config as this sampler's reference class reads it.
    /// @throws Failure.Incompatible for steps that do not fit
    /// @throws Failure.NotBuilt a setting of the config that this program does not do yet
    SamplingPlan plan(SamplerRequest request) throws Failure {
        if (request.steps() < 1 || request.steps() > SamplingSettings.MAX_STEPS) {
            throw new Failure.Incompatible(
                    "steps: expected 1 to " + SamplingSettings.MAX_STEPS + ", found " + request.steps());
        }
        return switch (this) {
            case EULER -> Euler.plan(request);
            case EULER_ANCESTRAL -> EulerAncestral.plan(request);
            case HEUN -> Heun.plan(request);
            case LMS -> Lms.plan(request);
            case DDIM -> Ddim.plan(request);
            case DDPM -> Ddpm.plan(request);
            case PNDM -> Pndm.plan(request);
            case DPM_PLUS_PLUS_2M, DPM_PLUS_PLUS_2M_SDE -> DpmPlusPlus2M.plan(request);
            case DPM_PLUS_PLUS_SDE -> DpmPlusPlusSde.plan(request);
            case DPM_PLUS_PLUS_2S_ANCESTRAL -> DpmPlusPlus2SAncestral.plan(request);
            case DPM_PLUS_PLUS_3M_SDE -> DpmPlusPlus3MSde.plan(request);
            case DPM2 -> Dpm2.plan(request);
            case DPM2_ANCESTRAL -> Dpm2Ancestral.plan(request);
            case UNIPC -> UniPc.plan(request);
            case DEIS -> Deis.plan(request);
            case LCM -> Lcm.plan(request);
            case TCD -> Tcd.plan(request);
        };
    }
}

package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/// The samplers: their names on the command line and in other programs, and the diffusers class whose config defaults
/// they use.
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

    /// The command line's name, for example `dpmpp-2m`.
    public String option() {
        return option;
    }

    /// The name in A1111, for example `DPM++ 2M`.
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
    /// @throws Failure.Unsupported for a class, or a variant of one, that is not supported
    public static SamplerName of(SchedulerConfig config) throws Failure {
        return switch (config.className()) {
            case "DPMSolverMultistepScheduler" -> dpmSolverMultistep(config);
            case "PNDMScheduler" -> {
                // diffusers' class ignores the key; this one would divide by zero at the last timestep.
                if (config.hasZeroTerminalSnr()) throw config.unsupported("rescale_betas_zero_snr", "true");
                yield PNDM;
            }
            case "DPMSolverSDEScheduler" ->
                    throw config.unsupported("the scheduler of a config", "(dpmpp-sde follows k-diffusion)");
            default -> Arrays.stream(values())
                    .filter(name -> name.referenceClass.equals(config.className()))
                    .findFirst()
                    .orElseThrow(() -> new Failure.Unsupported("sampler " + config.className() + " is not supported"));
        };
    }

    /// The same, empty if it is not supported.
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

    /// The schedules that the sampler supports. PNDM's weights need equal steps, TCD the timesteps of distillation.
    public Set<ScheduleName> schedules() {
        return switch (this) {
            case PNDM, TCD -> EnumSet.of(ScheduleName.AUTOMATIC);
            case EULER, EULER_ANCESTRAL, HEUN, LMS, DDIM, DDPM, DPM_PLUS_PLUS_2M, DPM_PLUS_PLUS_2M_SDE,
                    DPM_PLUS_PLUS_SDE, DPM_PLUS_PLUS_2S_ANCESTRAL,
                    DPM_PLUS_PLUS_3M_SDE, DPM2, DPM2_ANCESTRAL, UNIPC, DEIS, LCM -> EnumSet.allOf(ScheduleName.class);
        };
    }

    /// The model's own, except for DPM++ 3M SDE: its extrapolation fails over the long last steps of even timesteps;
    /// k-diffusion's author and other programs use the exponential schedule.
    public ScheduleName defaultSchedule() {
        return this == DPM_PLUS_PLUS_3M_SDE ? ScheduleName.EXPONENTIAL : ScheduleName.AUTOMATIC;
    }

    /// Default share of fresh noise; empty if the sampler has no eta.
    public OptionalDouble defaultEta() {
        return switch (this) {
            case DDIM -> OptionalDouble.of(0);
            case TCD -> OptionalDouble.of(0.3);
            case EULER_ANCESTRAL, DPM_PLUS_PLUS_2M_SDE, DPM_PLUS_PLUS_SDE, DPM_PLUS_PLUS_2S_ANCESTRAL,
                    DPM_PLUS_PLUS_3M_SDE, DPM2_ANCESTRAL -> OptionalDouble.of(1);
            case EULER, HEUN, LMS, DDPM, PNDM, DPM_PLUS_PLUS_2M, DPM2, UNIPC, DEIS, LCM -> OptionalDouble.empty();
        };
    }

    /// @throws Failure.Incompatible for an invalid number of steps
    /// @throws Failure.Unsupported for a setting of the config that is not supported
    SamplingPlan plan(SamplerRequest request) throws Failure {
        if (request.steps() < 1 || request.steps() > SamplingSettings.MAX_STEPS) {
            throw new Failure.Incompatible(
                    "steps: expected 1 to " + SamplingSettings.MAX_STEPS + ", found " + request.steps());
        }
        return switch (this) {
            case EULER -> Euler.plan(request);
            case EULER_ANCESTRAL -> request.kDiffusionPlan(new EulerAncestral(request.eta()));
            case HEUN -> {
                Heun heun = new Heun(Thresholding.clipOnly(request.config(), false));
                yield request.varianceExploding(heun, request.diffusersSigmas().steps(0));
            }
            case LMS -> request.varianceExploding(new Lms(), request.diffusersSigmas().steps(0));
            case DDIM -> Ddim.plan(request);
            case DDPM -> Ddpm.plan(request);
            case PNDM -> Pndm.plan(request);
            case DPM_PLUS_PLUS_2M, DPM_PLUS_PLUS_2M_SDE -> DpmPlusPlus2M.plan(request);
            case DPM_PLUS_PLUS_SDE -> request.kDiffusionPlan(new DpmPlusPlusSde(request.eta()));
            case DPM_PLUS_PLUS_2S_ANCESTRAL -> request.kDiffusionPlan(new DpmPlusPlus2SAncestral(request.eta()));
            case DPM_PLUS_PLUS_3M_SDE -> request.kDiffusionPlan(new DpmPlusPlus3MSde(request.eta()));
            case DPM2 -> request.varianceExploding(new Dpm2(), Dpm2.sigmas(request).steps(0));
            case DPM2_ANCESTRAL ->
                    request.varianceExploding(new Dpm2Ancestral(request.eta()), Dpm2.sigmas(request).steps(0));
            case UNIPC -> UniPc.plan(request);
            case DEIS -> Deis.plan(request);
            case LCM -> Lcm.plan(request);
            case TCD -> Tcd.plan(request);
        };
    }
}

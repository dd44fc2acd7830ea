package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.Sampler.FinalOrder;
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

    /// With fewer steps, `lower_order_final` lowers the order of the last ones.
    private static final int LOWER_ORDER_FINAL_BELOW = 15;

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
            case "DPMSolverSDEScheduler" ->
                    throw config.unsupported("the scheduler of a config", "(dpmpp-sde follows k-diffusion)");
            default -> {
                SamplerName found = Arrays.stream(values())
                        .filter(name -> name.referenceClass.equals(config.className()))
                        .findFirst()
                        .orElseThrow(
                                () -> new Failure.Unsupported("sampler " + config.className() + " is not supported"));
                // diffusers' PNDM ignores the key.
                if (found.dividesBySignal() && config.hasZeroTerminalSnr())
                    throw config.unsupported("rescale_betas_zero_snr", "true");
                yield found;
            }
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

    /// Whether the sampler divides by the signal, so that it cannot start from zero terminal SNR.
    boolean dividesBySignal() {
        return this == PNDM;
    }

    /// Reads the keys that one class reads, besides those of [SchedulerConfig].
    /// @throws Failure.Unsupported for a setting of the config that is not supported
    SamplingPlan plan(Scheduler scheduler, double eta) throws Failure {
        SchedulerConfig config = scheduler.config();
        return switch (this) {
            case EULER -> {
                requireSupportedEuler(config);
                yield scheduler.varianceExploding(new Euler(0),
                        scheduler.diffusersSigmas().steps(scheduler.finalSigma()));
            }
            case HEUN -> scheduler.varianceExploding(new Heun(config.thresholding()),
                    scheduler.diffusersSigmas().steps(0));
            case LMS -> scheduler.varianceExploding(new Lms(), scheduler.diffusersSigmas().steps(0));
            case DPM2, DPM2_ANCESTRAL -> scheduler.varianceExploding(new Dpm2(eta), dpm2Sigmas(scheduler).steps(0));
            case EULER_ANCESTRAL -> kDiffusion(scheduler, new Euler(eta));
            case DPM_PLUS_PLUS_SDE -> kDiffusion(scheduler, new DpmPlusPlusSde(eta));
            case DPM_PLUS_PLUS_2S_ANCESTRAL -> kDiffusion(scheduler, new DpmPlusPlus2SAncestral(eta));
            case DPM_PLUS_PLUS_3M_SDE -> kDiffusion(scheduler, new DpmPlusPlus3MSde(eta));
            case DPM_PLUS_PLUS_2M, DPM_PLUS_PLUS_2M_SDE -> dpmPlusPlus2M(scheduler, eta);
            case UNIPC -> uniPc(scheduler);
            case DEIS -> deis(scheduler);
            case DDIM -> scheduler.variancePreserving(new Ddim(config.thresholding(), eta),
                    scheduler.schedule() == ScheduleName.AUTOMATIC ? scheduler.strides() : scheduler.namedSteps());
            case DDPM -> scheduler.variancePreserving(new Ddpm(config.thresholding(), ddpmVariance(config)),
                    scheduler.schedule() == ScheduleName.AUTOMATIC
                            ? scheduler.stepsBetween(scheduler.timesteps(), NoiseLevel.NO_NOISE)
                            : scheduler.namedSteps());
            case PNDM -> {
                if (!config.bool("skip_prk_steps", false)) throw config.unsupported("skip_prk_steps", "false");
                NoiseSchedule noiseSchedule = scheduler.noiseSchedule();
                yield scheduler.variancePreserving(
                        new Pndm(noiseSchedule, noiseSchedule.size() / scheduler.steps()), scheduler.strides());
            }
            // Schedules end above timestep 0, where c_out is 0 and the network's output has no effect.
            case LCM -> scheduler.variancePreserving(
                    new Lcm(config.thresholding(), config.number("timestep_scaling", 10)),
                    scheduler.schedule() == ScheduleName.AUTOMATIC
                            ? scheduler.stepsBetween(scheduler.distillationTimesteps(), NoiseLevel.NO_NOISE)
                            : scheduler.namedStepsAboveSigmaMin());
            case TCD -> scheduler.variancePreserving(new Tcd(scheduler.noiseSchedule(), eta),
                    scheduler.stepsBetween(scheduler.distillationTimesteps(), scheduler.noiseSchedule().level(0)));
        };
    }

    private static void requireSupportedEuler(SchedulerConfig config) throws Failure {
        String interpolation = config.string("interpolation_type", "linear");
        if (!interpolation.equals("linear")) throw config.unsupported("interpolation_type", interpolation);
        String type = config.string("timestep_type", "discrete");
        if (!type.equals("discrete") && config.predictionType() == PredictionType.V)
            throw config.unsupported("timestep_type", type);
    }

    /// k-diffusion's schedules, down to σ = 0.
    private static SamplingPlan kDiffusion(Scheduler scheduler, Sampler sampler) throws Failure {
        return scheduler.varianceExploding(sampler, scheduler.kDiffusionSigmas().steps(0));
    }

    /// Rounded timesteps for a Karras schedule, fractional ones at midpoints, as in diffusers.
    private static Sigmas dpm2Sigmas(Scheduler scheduler) throws Failure {
        Sigmas sigmas = scheduler.diffusersSigmas();
        return scheduler.configuredSchedule() == ScheduleName.KARRAS ? sigmas.withTimesteps(Math::rint) : sigmas;
    }

    private static Ddpm.VarianceType ddpmVariance(SchedulerConfig config) throws Failure {
        String type = config.string("variance_type", "fixed_small");
        return switch (type) {
            case "fixed_small", "fixed_small_log" -> Ddpm.VarianceType.FIXED_SMALL;
            case "fixed_large" -> Ddpm.VarianceType.FIXED_LARGE;
            default -> throw config.unsupported("variance_type", type);
        };
    }

    /// Calls the network at whole timesteps, as diffusers does.
    private static SamplingPlan dpmPlusPlus2M(Scheduler scheduler, double eta) throws Failure {
        SchedulerConfig config = scheduler.config();
        DpmPlusPlus2M.SolverType solverType = dpmSolverType(config);
        int order = Math.min(2, solverOrder(config));
        int usableTimesteps = scheduler.trained()
                .countAboveLambda(config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY));
        boolean isCosine = config.betas().schedule().equals("squaredcos_cap_v2");
        Sigmas sigmas = scheduler.multistepSigmas(usableTimesteps, isCosine ? Math::floor : Math::rint);
        double finalSigma = scheduler.finalSigma();
        FinalOrder finalOrder = finalSigma == 0 || config.bool("euler_at_final", false) ? FinalOrder.LOWER
                : finalOrder(config, sigmas);
        return scheduler.variancePreserving(
                new DpmPlusPlus2M(order, solverType, finalOrder, eta, config.thresholding()), sigmas.steps(finalSigma));
    }

    /// Names of other solvers mean midpoint, as in diffusers.
    private static DpmPlusPlus2M.SolverType dpmSolverType(SchedulerConfig config) throws Failure {
        config.requireFalse("use_lu_lambdas");
        String varianceType = config.string("variance_type", "");
        if (!varianceType.isEmpty()) throw config.unsupported("variance_type", varianceType);
        String solver = config.string("solver_type", "midpoint");
        return switch (solver) {
            case "midpoint", "logrho", "bh1", "bh2" -> DpmPlusPlus2M.SolverType.MIDPOINT;
            case "heun" -> DpmPlusPlus2M.SolverType.HEUN;
            default -> throw config.unsupported("solver_type", solver);
        };
    }

    private static SamplingPlan uniPc(Scheduler scheduler) throws Failure {
        SchedulerConfig config = scheduler.config();
        int order = solverOrder(config);
        if (!config.bool("predict_x0", true)) throw config.unsupported("predict_x0", "false");
        if (config.floats("disable_corrector").orElse(new float[0]).length > 0)
            throw config.unsupported("disable_corrector", "of some steps");
        Sigmas sigmas = scheduler.multistepSigmas(scheduler.trained().size(), Math::rint);
        double finalSigma = scheduler.finalSigma();
        if (finalSigma > 0 && scheduler.configuredSchedule() != ScheduleName.AUTOMATIC) finalSigma = sigmas.last();
        FinalOrder finalOrder = config.bool("lower_order_final", true) ? FinalOrder.LOWER : FinalOrder.FULL;
        return scheduler.variancePreserving(
                new UniPc(order, uniPcSolverType(config), finalOrder, config.thresholding()), sigmas.steps(finalSigma));
    }

    /// Names of other solvers mean bh2, as in diffusers.
    private static UniPc.SolverType uniPcSolverType(SchedulerConfig config) throws Failure {
        String name = config.string("solver_type", "bh2");
        return switch (name) {
            case "bh1" -> UniPc.SolverType.BH1;
            case "bh2", "midpoint", "heun", "logrho" -> UniPc.SolverType.BH2;
            default -> throw config.unsupported("solver_type", name);
        };
    }

    /// Ends at the smallest trained σ; a schedule from the config repeats its last level instead, as in diffusers.
    private static SamplingPlan deis(Scheduler scheduler) throws Failure {
        SchedulerConfig config = scheduler.config();
        int order = solverOrder(config);
        Sigmas sigmas = scheduler.multistepSigmas(scheduler.trained().size(), Math::rint);
        double finalSigma = scheduler.configuredSchedule().isSigmaSpacing() ? sigmas.last()
                : Math.min(sigmas.last(), scheduler.finalSigma());
        return scheduler.variancePreserving(
                new Deis(order, finalOrder(config, sigmas), config.thresholding()), sigmas.steps(finalSigma));
    }

    private static int solverOrder(SchedulerConfig config) throws Failure {
        int order = config.integer("solver_order", 2);
        if (order < 1 || order > 3) throw new Failure.Incompatible("solver_order: expected 1 to 3, found " + order);
        return order;
    }

    /// The config's `lower_order_final`, which applies to few steps only.
    private static FinalOrder finalOrder(SchedulerConfig config, Sigmas sigmas) throws Failure {
        boolean isLower = config.bool("lower_order_final", true) && sigmas.size() < LOWER_ORDER_FINAL_BELOW;
        return isLower ? FinalOrder.LOWER : FinalOrder.FULL;
    }
}

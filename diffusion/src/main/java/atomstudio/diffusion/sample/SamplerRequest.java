package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/// What a plan is made from: a scheduler config, read with the defaults of the sampler's class in diffusers, and the
/// user's choices. Methods yield noise levels and steps as the families of samplers space them.
///
/// @param eta the chosen one, or the sampler's default
record SamplerRequest(SchedulerConfig config, ScheduleName schedule, int steps, double eta) {
    /// With fewer steps, `lower_order_final` lowers the order of the last ones.
    private static final int LOWER_ORDER_FINAL_BELOW = 15;

    TrainedSigmas trained() throws Failure {
        return TrainedSigmas.of(config);
    }

    /// A plan in latents x0 + σ · noise. Leading spacing starts from √(σ² + 1) · noise, the others from σ · noise.
    SamplingPlan varianceExploding(Sampler sampler, List<Schedule.Step> planned) throws Failure {
        double sigmaMax = planned.stream().mapToDouble(step -> step.from().sigma()).max().orElseThrow();
        double initNoiseSigma = config.spacing() == TimestepSpacing.LEADING ? Math.sqrt(sigmaMax * sigmaMax + 1)
                : sigmaMax;
        return new SamplingPlan(sampler, new Schedule(planned, config.predictionType(),
                Schedule.Parameterization.VARIANCE_EXPLODING, initNoiseSigma, trained()));
    }

    /// A plan in latents x0 + σ · noise, with k-diffusion's schedules, down to σ = 0.
    SamplingPlan kDiffusionPlan(Sampler sampler) throws Failure {
        return varianceExploding(sampler, kDiffusionSigmas().steps(0));
    }

    /// A plan in latents alpha · x0 + sigma · noise.
    /// @throws Failure.Incompatible for epsilon prediction from zero terminal SNR
    SamplingPlan variancePreserving(Sampler sampler, List<Schedule.Step> planned) throws Failure {
        if (config.predictionType() == PredictionType.EPSILON && planned.getFirst().from().alphaT() == 0) {
            throw new Failure.Incompatible("this sampler from zero terminal SNR: predicted noise does not determine "
                    + "the image there; the model must predict v_prediction or sample");
        }
        return new SamplingPlan(sampler, new Schedule(planned, config.predictionType(),
                Schedule.Parameterization.VARIANCE_PRESERVING, 1, trained()));
    }

    /// The chosen schedule, or the one that the config names.
    ScheduleName configuredSchedule() throws Failure {
        if (schedule != ScheduleName.AUTOMATIC) return schedule;
        List<ScheduleName> configured = new ArrayList<>();
        if (config.bool("use_karras_sigmas", false)) configured.add(ScheduleName.KARRAS);
        if (config.bool("use_exponential_sigmas", false)) configured.add(ScheduleName.EXPONENTIAL);
        if (config.bool("use_beta_sigmas", false)) configured.add(ScheduleName.BETA_SIGMAS);
        if (configured.size() > 1)
            throw new Failure.Incompatible("scheduler_config.json: expected one of use_karras_sigmas, "
                    + "use_exponential_sigmas, use_beta_sigmas, found " + configured.size());
        return configured.isEmpty() ? ScheduleName.AUTOMATIC : configured.getFirst();
    }

    /// As diffusers: the config may name the schedule, which spans the σ that the model's own spacing would visit.
    Sigmas diffusersSigmas() throws Failure {
        Sigmas automatic = spacedSigmas();
        return configuredSchedule().sigmas(trained(), automatic, sigmaRange(automatic.first(), automatic.last()),
                steps);
    }

    /// As k-diffusion: only the user chooses the schedule, which spans all trained σ.
    private Sigmas kDiffusionSigmas() throws Failure {
        return schedule.sigmas(trained(), spacedSigmas(), trained().sigmaRange(), steps);
    }

    /// As diffusers' multistep solvers: whole timesteps, and named schedules span all trained σ.
    /// @param usableTimesteps how many timesteps, from the least noisy on, may be visited
    /// @param karrasRounding for timesteps of Karras's spacing; those of the others in σ are rounded down
    Sigmas multistepSigmas(int usableTimesteps, DoubleUnaryOperator karrasRounding) throws Failure {
        config.requireFalse("use_flow_sigmas", "use_dynamic_shifting");
        TrainedSigmas trained = trained();
        ScheduleName configured = configuredSchedule();
        Sigmas automatic = Sigmas.ofTimesteps(trained, multistepTimesteps(usableTimesteps));
        Sigmas sigmas = configured.sigmas(trained, automatic, sigmaRange(trained.sigmaMax(), trained.sigmaMin()),
                steps);
        if (!configured.isSigmaSpacing()) return sigmas;
        return sigmas.withTimesteps(configured == ScheduleName.KARRAS ? karrasRounding : Math::floor);
    }

    private ScheduleName.SigmaRange sigmaRange(double sigmaMax, double sigmaMin) throws Failure {
        return new ScheduleName.SigmaRange(config.number("sigma_max", sigmaMax), config.number("sigma_min", sigmaMin));
    }

    /// The model's own spacing, timesteps in float32 as in diffusers.
    private Sigmas spacedSigmas() throws Failure {
        if (config.spacing() == TimestepSpacing.LEADING && steps > config.trainTimesteps()) {
            throw new Failure.Incompatible("steps: leading spacing takes at most " + config.trainTimesteps()
                    + " with this model, found " + steps);
        }
        double[] timesteps = config.spacing().timesteps(config.trainTimesteps(), steps, config.stepsOffset());
        for (int i = 0; i < timesteps.length; i++) {
            timesteps[i] = (float) timesteps[i];
            requireTrained(timesteps[i]);
        }
        return Sigmas.ofTimesteps(trained(), timesteps);
    }

    /// One more than steps for linspace and leading, of which the last (the least noisy) is not visited. With nearly
    /// as many steps as timesteps, some are equal after rounding; duplicates are dropped, where diffusers would divide
    /// by zero.
    private double[] multistepTimesteps(int usableTimesteps) throws Failure {
        TimestepSpacing spacing = config.spacing();
        if (spacing == TimestepSpacing.LEADING && steps >= usableTimesteps) {
            throw new Failure.Incompatible("steps: this sampler with leading spacing takes at most "
                    + (usableTimesteps - 1) + " with this model, found " + steps);
        }
        double[] timesteps = switch (spacing) {
            case LINSPACE, LEADING ->
                    Arrays.copyOf(spacing.timesteps(usableTimesteps, steps + 1, config.stepsOffset()), steps);
            case TRAILING -> TimestepSpacing.trailing(usableTimesteps, (double) config.trainTimesteps() / steps);
        };
        double[] rounded = Arrays.stream(timesteps).map(Math::rint).distinct().toArray();
        for (double timestep : rounded) requireTrained(timestep);
        return rounded;
    }

    /// Whole timesteps of the model's own spacing, latest first.
    int[] timesteps() throws Failure {
        requireAtMost(config.trainTimesteps());
        double[] spaced = config.spacing().timesteps(config.trainTimesteps(), steps, config.stepsOffset());
        int[] timesteps = new int[spaced.length];
        for (int i = 0; i < spaced.length; i++) {
            timesteps[i] = (int) Math.rint(spaced[i]);
            requireTrained(timesteps[i]);
        }
        return timesteps;
    }

    /// Every k-th of the timesteps that a model was distilled for.
    /// Source: Luo et al. 2023, "Latent Consistency Models", section 4.3.
    int[] distillationTimesteps() throws Failure {
        int trainTimesteps = config.trainTimesteps();
        int originalSteps = config.integer("original_inference_steps", 50);
        if (originalSteps < 1 || originalSteps > trainTimesteps)
            throw new Failure.Incompatible(
                    "original_inference_steps: expected 1 to " + trainTimesteps + ", found " + originalSteps);
        requireAtMost(originalSteps);
        int[] timesteps = new int[steps];
        for (int i = 0; i < timesteps.length; i++) {
            int index = (int) Math.floor(i * ((double) originalSteps / steps));
            timesteps[i] = (originalSteps - index) * (trainTimesteps / originalSteps) - 1;
        }
        return timesteps;
    }

    private void requireAtMost(int maxSteps) throws Failure {
        if (steps > maxSteps)
            throw new Failure.Incompatible(
                    "steps: this sampler takes at most " + maxSteps + " with this model, found " + steps);
    }

    /// Many steps and an offset may pass the last trained timestep, where noise levels repeat.
    private void requireTrained(double timestep) throws Failure {
        int trainTimesteps = config.trainTimesteps();
        if (timestep >= 0 && timestep <= trainTimesteps - 1) return;
        throw new Failure.Incompatible("steps: " + steps + " with steps_offset " + config.stepsOffset()
                + " reach timestep " + Math.round(timestep) + ", the model has 0 to " + (trainTimesteps - 1)
                + "; take fewer");
    }

    /// Steps from each trained timestep to the next, the last one to `finalLevel`.
    List<Schedule.Step> timestepSteps(int[] timesteps, NoiseLevel finalLevel) throws Failure {
        NoiseSchedule noiseSchedule = NoiseSchedule.of(config);
        List<Schedule.Step> planned = new ArrayList<>();
        for (int i = 0; i < timesteps.length; i++) {
            NoiseLevel to = i + 1 < timesteps.length ? noiseSchedule.level(timesteps[i + 1]) : finalLevel;
            planned.add(new Schedule.Step(timesteps[i], noiseSchedule.level(timesteps[i]), to));
        }
        return planned;
    }

    /// Steps of a named schedule, down to σ = 0.
    List<Schedule.Step> namedSteps() throws Failure {
        return namedSigmas(steps).steps(0);
    }

    /// The same without the smallest trained σ: a schedule that ends there gets one more level, which is not visited.
    List<Schedule.Step> namedStepsAboveSigmaMin() throws Failure {
        if (schedule.isSigmaSpacing()) return namedSigmas(steps + 1).take(steps).steps(0);
        Sigmas sigmas = namedSigmas(steps);
        // With nearly as many steps as timesteps, the other schedules reach timestep 0 as well.
        boolean endsAtZero = sigmas.size() > 1 && sigmas.timesteps()[sigmas.size() - 1] == 0;
        return (endsAtZero ? sigmas.take(sigmas.size() - 1) : sigmas).steps(0);
    }

    private Sigmas namedSigmas(int count) throws Failure {
        Sigmas noAutomatic = new Sigmas(new double[0], new double[0]);
        return schedule.sigmas(trained(), noAutomatic, trained().sigmaRange(), count);
    }

    int solverOrder() throws Failure {
        int order = config.integer("solver_order", 2);
        if (order < 1 || order > 3) throw new Failure.Incompatible("solver_order: expected 1 to 3, found " + order);
        return order;
    }

    /// The config's `lower_order_final`, which applies to few steps only.
    Sampler.FinalOrder finalOrder(Sigmas sigmas) throws Failure {
        boolean isLower = config.bool("lower_order_final", true) && sigmas.size() < LOWER_ORDER_FINAL_BELOW;
        return isLower ? Sampler.FinalOrder.LOWER : Sampler.FinalOrder.FULL;
    }
}

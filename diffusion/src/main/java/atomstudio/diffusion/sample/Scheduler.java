package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.SamplingPlan.Parameterization;
import atomstudio.diffusion.sample.SamplingPlan.Step;
import atomstudio.diffusion.sample.Sigmas.TimestepSpacing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;

/// A scheduler config as the chosen sampler's class in diffusers reads it: yields the noise levels and steps as the
/// families of samplers space them (diffusers' `set_timesteps`), and makes plans of them.
record Scheduler(SamplingSettings chosen, SchedulerConfig config, NoiseSchedule noiseSchedule,
        NoiseSchedule.TrainedSigmas trained) {
    /// @param file the config of any class
    static Scheduler of(SamplingSettings chosen, SchedulerConfig file) throws Failure {
        SchedulerConfig config = file.forClass(chosen.sampler().referenceClass());
        NoiseSchedule noiseSchedule = NoiseSchedule.of(config);
        return new Scheduler(chosen, config, noiseSchedule, noiseSchedule.trainedSigmas());
    }

    int steps() {
        return chosen.steps();
    }

    ScheduleName schedule() {
        return chosen.schedule();
    }

    /// The chosen schedule, or the one that the config names.
    ScheduleName configuredSchedule() throws Failure {
        if (schedule() != ScheduleName.AUTOMATIC) return schedule();
        List<ScheduleName> named = new ArrayList<>();
        if (config.bool("use_karras_sigmas", false)) named.add(ScheduleName.KARRAS);
        if (config.bool("use_exponential_sigmas", false)) named.add(ScheduleName.EXPONENTIAL);
        if (config.bool("use_beta_sigmas", false)) named.add(ScheduleName.BETA_SIGMAS);
        if (named.size() > 1)
            throw new Failure.Incompatible("scheduler_config.json: expected one of use_karras_sigmas, "
                    + "use_exponential_sigmas, use_beta_sigmas, found " + named.size());
        return named.isEmpty() ? ScheduleName.AUTOMATIC : named.getFirst();
    }

    /// The range of a named schedule's σ.
    private ScheduleName.SigmaRange sigmaRange(double sigmaMax, double sigmaMin) throws Failure {
        return new ScheduleName.SigmaRange(config.number("sigma_max", sigmaMax), config.number("sigma_min", sigmaMin));
    }

    /// As diffusers: the config may name the schedule, which spans the σ that the model's own spacing would visit.
    Sigmas diffusersSigmas() throws Failure {
        Sigmas automatic = spacedSigmas();
        return configuredSchedule().sigmas(trained, automatic, sigmaRange(automatic.first(), automatic.last()),
                steps());
    }

    /// As k-diffusion: only the user chooses the schedule, which spans all trained σ.
    Sigmas kDiffusionSigmas() throws Failure {
        return schedule().sigmas(trained, spacedSigmas(), trained.sigmaRange(), steps());
    }

    /// As diffusers' multistep solvers: whole timesteps, and named schedules span all trained σ.
    /// @param usableTimesteps how many timesteps, from the least noisy on, may be visited
    /// @param karrasRounding for timesteps of Karras's spacing; those of the others in σ are rounded down
    Sigmas multistepSigmas(int usableTimesteps, DoubleUnaryOperator karrasRounding) throws Failure {
        config.requireFalse("use_flow_sigmas", "use_dynamic_shifting");
        ScheduleName configured = configuredSchedule();
        Sigmas automatic = Sigmas.ofTimesteps(trained, multistepTimesteps(usableTimesteps));
        Sigmas sigmas = configured.sigmas(trained, automatic,
                sigmaRange(trained.sigmaMax(), trained.sigmaMin()), steps());
        if (!configured.isSigmaSpacing()) return sigmas;
        return sigmas.withTimesteps(configured == ScheduleName.KARRAS ? karrasRounding : Math::floor);
    }

    /// The model's own spacing, timesteps in float32 as in diffusers.
    private Sigmas spacedSigmas() throws Failure {
        if (config.spacing() == TimestepSpacing.LEADING && steps() > config.trainTimesteps()) {
            throw new Failure.Incompatible("steps: leading spacing takes at most " + config.trainTimesteps()
                    + " with this model, found " + steps());
        }
        double[] timesteps = config.spacing().timesteps(config.trainTimesteps(), steps(), config.stepsOffset());
        for (int i = 0; i < timesteps.length; i++) {
            timesteps[i] = (float) timesteps[i];
            requireTrained(timesteps[i]);
        }
        return Sigmas.ofTimesteps(trained, timesteps);
    }

    /// One more than steps for linspace and leading, of which the last (the least noisy) is not visited.
    private double[] multistepTimesteps(int usableTimesteps) throws Failure {
        TimestepSpacing spacing = config.spacing();
        if (spacing == TimestepSpacing.LEADING && steps() >= usableTimesteps) {
            throw new Failure.Incompatible("steps: this sampler with leading spacing takes at most "
                    + (usableTimesteps - 1) + " with this model, found " + steps());
        }
        double[] timesteps = switch (spacing) {
            case LINSPACE, LEADING ->
                    Arrays.copyOf(spacing.timesteps(usableTimesteps, steps() + 1, config.stepsOffset()), steps());
            case TRAILING -> TimestepSpacing.trailing(usableTimesteps, (double) config.trainTimesteps() / steps());
        };
        double[] rounded = Arrays.stream(timesteps).map(Math::rint).toArray();
        for (double timestep : rounded) requireTrained(timestep);
        return rounded;
    }

    /// Whole timesteps of the model's own spacing, latest first.
    int[] timesteps() throws Failure {
        requireAtMost(config.trainTimesteps());
        double[] spaced = config.spacing().timesteps(config.trainTimesteps(), steps(), config.stepsOffset());
        for (double timestep : spaced) requireTrained(Math.rint(timestep));
        return Arrays.stream(spaced).mapToInt(timestep -> (int) Math.rint(timestep)).toArray();
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
        int[] timesteps = new int[steps()];
        for (int i = 0; i < timesteps.length; i++) {
            int index = (int) Math.floor(i * ((double) originalSteps / steps()));
            timesteps[i] = (originalSteps - index) * (trainTimesteps / originalSteps) - 1;
        }
        return timesteps;
    }

    private void requireAtMost(int maxSteps) throws Failure {
        if (steps() > maxSteps)
            throw new Failure.Incompatible(
                    "steps: this sampler takes at most " + maxSteps + " with this model, found " + steps());
    }

    /// Many steps and an offset may pass the last trained timestep, where noise levels repeat.
    private void requireTrained(double timestep) throws Failure {
        int trainTimesteps = config.trainTimesteps();
        if (timestep >= 0 && timestep <= trainTimesteps - 1) return;
        throw new Failure.Incompatible("steps: " + steps() + " with steps_offset " + config.stepsOffset()
                + " reach timestep " + Math.round(timestep) + ", the model has 0 to " + (trainTimesteps - 1)
                + "; take fewer");
    }

    /// Steps from each trained timestep to the next, the last one to `end`.
    List<Step> stepsBetween(int[] timesteps, NoiseLevel end) {
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < timesteps.length; i++) {
            NoiseLevel to = i + 1 < timesteps.length ? noiseSchedule.level(timesteps[i + 1]) : end;
            steps.add(new Step(timesteps[i], noiseSchedule.level(timesteps[i]), to));
        }
        return steps;
    }

    /// Steps of ⌊T / steps⌋ timesteps from each timestep of the model's own spacing, not to the next one of it, as in
    /// diffusers; those that pass timestep 0 end where the config has it.
    List<Step> strides() throws Failure {
        int stride = noiseSchedule.size() / steps();
        NoiseLevel end = config.endsAtZero() ? NoiseLevel.NO_NOISE : noiseSchedule.level(0);
        List<Step> steps = new ArrayList<>();
        for (int timestep : timesteps()) {
            NoiseLevel to = timestep >= stride ? noiseSchedule.level(timestep - stride) : end;
            steps.add(new Step(timestep, noiseSchedule.level(timestep), to));
        }
        return steps;
    }

    /// Steps of a named schedule, down to σ = 0.
    List<Step> namedSteps() {
        return namedSigmas(steps()).steps(0);
    }

    /// The same without the smallest trained σ: a schedule that ends there gets one more level, which is not visited.
    List<Step> namedStepsAboveSigmaMin() {
        if (schedule().isSigmaSpacing()) return namedSigmas(steps() + 1).take(steps()).steps(0);
        Sigmas sigmas = namedSigmas(steps());
        // With nearly as many steps as timesteps, the other schedules reach timestep 0 as well.
        boolean endsAtZero = sigmas.size() > 1 && sigmas.timesteps()[sigmas.size() - 1] == 0;
        return (endsAtZero ? sigmas.take(sigmas.size() - 1) : sigmas).steps(0);
    }

    private Sigmas namedSigmas(int count) {
        Sigmas noAutomatic = new Sigmas(new double[0], new double[0]);
        return schedule().sigmas(trained, noAutomatic, trained.sigmaRange(), count);
    }

    /// The σ at which the last step ends: 0 or the smallest trained σ.
    double finalSigma() throws Failure {
        return config.endsAtZero() ? 0 : trained.sigmaMin();
    }

    /// A plan in latents x0 + σ · noise. Leading spacing starts from √(σ² + 1) · noise, the others from σ · noise.
    SamplingPlan varianceExploding(Sampler sampler, List<Step> steps) throws Failure {
        double sigmaMax = steps.stream().mapToDouble(step -> step.from().sigma()).max().orElseThrow();
        double initNoiseSigma = config.spacing() == TimestepSpacing.LEADING ? Math.sqrt(sigmaMax * sigmaMax + 1)
                : sigmaMax;
        return plan(sampler, steps, Parameterization.VARIANCE_EXPLODING, initNoiseSigma);
    }

    /// A plan in latents alpha · x0 + sigma · noise.
    SamplingPlan variancePreserving(Sampler sampler, List<Step> steps) throws Failure {
        return plan(sampler, steps, Parameterization.VARIANCE_PRESERVING, 1);
    }

    private SamplingPlan plan(Sampler sampler, List<Step> steps, Parameterization parameterization,
            double initNoiseSigma) throws Failure {
        if (parameterization == Parameterization.VARIANCE_PRESERVING) checkSignal(steps.getFirst());
        checkDecreasing(steps);
        return new SamplingPlan(sampler, steps, parameterization, initNoiseSigma, config.predictionType(), trained);
    }

    /// The rule for zero terminal SNR, where the first level (0, 1) has no signal. Samplers in latents x0 + σ · noise
    /// start from a large σ instead ([NoiseSchedule#trainedSigmas]).
    private void checkSignal(Step first) throws Failure {
        if (first.from().alphaT() > 0) return;
        if (chosen.sampler().dividesBySignal())
            throw new Failure.Incompatible("sampler " + chosen.sampler().option() + " with zero terminal SNR "
                    + "(rescale_betas_zero_snr): it divides by the signal, which is 0 at timestep "
                    + (int) first.timestep() + "; choose ddim, euler or another sampler");
        if (config.predictionType() == PredictionType.EPSILON)
            throw new Failure.Incompatible("this sampler from zero terminal SNR: predicted noise does not determine "
                    + "the image there; the model must predict v_prediction or sample");
    }

    /// Samplers divide by differences of noise levels. Only the last step may have length 0: some schedules repeat
    /// their last level.
    private void checkDecreasing(List<Step> steps) throws Failure {
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            double from = step.from().sigma();
            double to = step.to().sigma();
            double next = i + 1 < steps.size() ? steps.get(i + 1).from().sigma() : to;
            boolean isLast = i + 1 == steps.size();
            boolean decreases = isLast ? from >= to : from > to && from > next;
            boolean valid = Double.isFinite(step.timestep()) && from > 0 && to >= 0
                    && (Double.isFinite(from) || i == 0);
            if (decreases && valid) continue;
            throw new Failure.Incompatible(String.format(Locale.ROOT,
                    "sampler %s, schedule %s, %d steps: expected noise that decreases with every step, found sigma %s, "
                            + "then %s, at step %d (timestep %s); take fewer steps or another schedule, or check the "
                            + "betas in scheduler_config.json",
                    chosen.sampler().option(), schedule().option(), steps(), from, next, i + 1, step.timestep()));
        }
    }
}

package atomstudio.diffusion.sample;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.apache.commons.statistics.distribution.BetaDistribution;

/// How the noise levels that a sampler visits are spaced.
public enum ScheduleName {
    /// As the model's config says.
    MODEL,
    /// Even in σ^(1/7). Source: Karras, Aittala, Aila and Laine 2022, equation 5.
    KARRAS,
    /// Even in log σ.
    EXPONENTIAL,
    /// Quantiles of the beta distribution, 0.6 and 0.6, in timesteps, as ComfyUI has it; equal ones are visited once.
    /// Source: Lee et al. 2024, "Beta Sampling is All You Need", section 4.
    BETA,
    /// The same quantiles between the largest and the smallest σ, as the reference library has it.
    BETA_SIGMAS,
    /// Optimized for Stable Diffusion with ten steps; for other numbers, points between in log σ.
    /// Source: Sabour, Fidler and Kreis 2024, "Align Your Steps", appendix D.
    AYS,
    /// Even in timesteps without the last one, so that the step to no noise is no shorter than the others; ComfyUI's
    /// name.
    SGM_UNIFORM,
    /// Every so many-th of the trained levels, from the last one on; ComfyUI's name.
    SIMPLE;

    /// Karras et al.'s choice.
    private static final double RHO = 7;
    private static final BetaDistribution BETA_SHAPE = BetaDistribution.of(0.6, 0.6);
    /// Of 1000; one more, 0, is where the last step ends before it goes to no noise.
    private static final double[] AYS_TIMESTEPS = {999, 850, 736, 645, 545, 455, 343, 233, 124, 24, 0};
    private static final int AYS_STEPS = AYS_TIMESTEPS.length - 1;

    /// From the most to the least noise that named spacings in σ span.
    record SigmaRange(double sigmaMax, double sigmaMin) {}

    /// The command line's word, for example `sgm-uniform`.
    public String option() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// What other programs call it.
    public String title() {
        return switch (this) {
            case MODEL -> "Automatic";
            case KARRAS -> "Karras";
            case EXPONENTIAL -> "Exponential";
            case BETA -> "Beta";
            case BETA_SIGMAS -> "Beta sigmas";
            case AYS -> "Align Your Steps";
            case SGM_UNIFORM -> "SGM Uniform";
            case SIMPLE -> "Simple";
        };
    }

    public static Optional<ScheduleName> ofOption(String option) {
        return Arrays.stream(values()).filter(name -> name.option().equals(option)).findFirst();
    }

    /// The levels to visit, most noise first.
    /// @param model where the model's own spacing goes
    /// @param range of the spacings in σ; the others take all that was trained
    Sigmas sigmas(TrainedSigmas trained, Sigmas model, SigmaRange range, int count) {
        return switch (this) {
            case MODEL -> model;
            case KARRAS -> Sigmas.ofSigmas(trained, spaced(count, Math.pow(range.sigmaMax, 1 / RHO), Math.pow(range.sigmaMin, 1 / RHO), root -> Math.pow(root, RHO)));
            case EXPONENTIAL -> Sigmas.ofSigmas(trained, spaced(count, Math.log(range.sigmaMax), Math.log(range.sigmaMin), Math::exp));
            case BETA_SIGMAS -> Sigmas.ofSigmas(trained, spaced(count, 1, 0, p -> range.sigmaMin + BETA_SHAPE.inverseCumulativeProbability(p) * (range.sigmaMax - range.sigmaMin)));
            case BETA -> Sigmas.ofTimesteps(trained, beta(trained.size() - 1, count));
            case AYS -> alignYourSteps(trained, count);
            case SGM_UNIFORM -> sgmUniform(trained, count);
            case SIMPLE -> Sigmas.ofTimesteps(trained, simple(trained.size(), count));
        };
    }

    @FunctionalInterface
    private interface Transform {
        double apply(double value);
    }

    private static double[] spaced(int count, double start, double end, Transform transform) {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) values[i] = transform.apply(start + (count > 1 ? i / (count - 1.0) : 0) * (end - start));
        return values;
    }

    private static double[] beta(int last, int count) {
        double[] timesteps = new double[count];
        // The distribution is symmetric; from this side the middle is rounded as the reference rounds it.
        for (int i = 0; i < count; i++) timesteps[i] = Math.rint((1 - BETA_SHAPE.inverseCumulativeProbability((double) i / count)) * last);
        return Arrays.stream(timesteps).distinct().toArray();
    }

    private static Sigmas alignYourSteps(TrainedSigmas trained, int count) {
        double[] timesteps = new double[AYS_TIMESTEPS.length];
        for (int i = 0; i < timesteps.length; i++) timesteps[i] = Math.rint(AYS_TIMESTEPS[i] * (trained.size() - 1) / AYS_TIMESTEPS[0]);
        double[] aysSigmas = trained.interpolated(timesteps);
        if (count == AYS_STEPS) return new Sigmas(Arrays.copyOf(timesteps, count), Arrays.copyOf(aysSigmas, count));
        double[] sigmas = new double[count];
        for (int i = 0; i < count; i++) {
            double position = (double) i * AYS_STEPS / count;
            int lower = (int) position;
            sigmas[i] = Math.exp(Math.log(aysSigmas[lower]) + (position - lower) * (Math.log(aysSigmas[lower + 1]) - Math.log(aysSigmas[lower])));
        }
        return Sigmas.ofSigmas(trained, sigmas);
    }

    private static Sigmas sgmUniform(TrainedSigmas trained, int count) {
        double[] timesteps = new double[count];
        double[] sigmas = new double[count];
        for (int i = 0; i < count; i++) {
            timesteps[i] = (trained.size() - 1) * (1 - (double) i / count);
            sigmas[i] = trained.logInterpolated(timesteps[i]);
        }
        return new Sigmas(timesteps, sigmas);
    }

    private static double[] simple(int size, int count) {
        double[] timesteps = new double[count];
        for (int i = 0; i < count; i++) timesteps[i] = size - 1 - (int) (i * ((double) size / count));
        return timesteps;
    }
}

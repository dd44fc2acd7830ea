package atomstudio.diffusion.sample;

import atomstudio.diffusion.sample.NoiseSchedule.TrainedSigmas;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import org.apache.commons.statistics.distribution.BetaDistribution;

/// How a sampler's noise levels are spaced.
public enum ScheduleName {
    /// As in the model's scheduler config.
    AUTOMATIC,
    /// Even in σ^(1/7). Source: Karras, Aittala, Aila and Laine 2022, equation 5.
    KARRAS,
    /// Even in log σ.
    EXPONENTIAL,
    /// Quantiles of the beta distribution, 0.6 and 0.6, in timesteps, as in ComfyUI; duplicates are visited once.
    /// Source: Lee et al. 2024, "Beta Sampling is All You Need", section 4.
    BETA,
    /// The same quantiles between the largest and the smallest σ, as in diffusers (`use_beta_sigmas`).
    BETA_SIGMAS,
    /// Optimized for Stable Diffusion with ten steps; interpolated in log σ for other numbers of steps.
    /// Source: Sabour, Fidler and Kreis 2024, "Align Your Steps", appendix D.
    AYS,
    /// Even in timesteps without the last one, so that the step to σ = 0 is as long as the others; ComfyUI's name.
    SGM_UNIFORM,
    /// Every k-th of the trained levels, from the last one on; ComfyUI's name.
    SIMPLE;

    /// The earlier name of AUTOMATIC on the command line.
    private static final String OLD_AUTOMATIC = "model";
    /// Karras et al.'s choice.
    private static final double RHO = 7;
    private static final BetaDistribution BETA_SHAPE = BetaDistribution.of(0.6, 0.6);
    /// Of 1000 timesteps; the eleventh, 0, is where the last step ends before σ = 0.
    private static final double[] AYS_TIMESTEPS = {999, 850, 736, 645, 545, 455, 343, 233, 124, 24, 0};
    private static final int AYS_STEPS = AYS_TIMESTEPS.length - 1;

    /// The range of spacings in σ.
    record SigmaRange(double sigmaMax, double sigmaMin) {}

    /// The command line's name, for example `sgm-uniform`.
    public String option() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// The name in other programs.
    public String title() {
        return switch (this) {
            case AUTOMATIC -> "Automatic";
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
        if (option.equals(OLD_AUTOMATIC)) return Optional.of(AUTOMATIC);
        return Arrays.stream(values()).filter(name -> name.option().equals(option)).findFirst();
    }

    /// Whether it is spaced between two σ, not over trained timesteps.
    boolean isSigmaSpacing() {
        return this == KARRAS || this == EXPONENTIAL || this == BETA_SIGMAS;
    }

    /// The noise levels, most noise first.
    /// @param automatic the levels of AUTOMATIC
    /// @param range for spacings in σ; the others span all trained levels
    Sigmas sigmas(TrainedSigmas trained, Sigmas automatic, SigmaRange range, int count) {
        return switch (this) {
            case AUTOMATIC -> automatic;
            case KARRAS -> {
                double start = Math.pow(range.sigmaMax, 1 / RHO);
                double end = Math.pow(range.sigmaMin, 1 / RHO);
                yield Sigmas.ofSigmas(trained, spaced(count, start, end, root -> Math.pow(root, RHO)));
            }
            case EXPONENTIAL -> Sigmas.ofSigmas(trained,
                    spaced(count, Math.log(range.sigmaMax), Math.log(range.sigmaMin), Math::exp));
            case BETA_SIGMAS -> {
                double width = range.sigmaMax - range.sigmaMin;
                yield Sigmas.ofSigmas(trained, spaced(count, 1, 0,
                        p -> range.sigmaMin + BETA_SHAPE.inverseCumulativeProbability(p) * width));
            }
            case BETA -> Sigmas.ofTimesteps(trained, beta(trained.size() - 1, count));
            case AYS -> alignYourSteps(trained, count);
            case SGM_UNIFORM -> sgmUniform(trained, count);
            case SIMPLE -> Sigmas.ofTimesteps(trained, simple(trained.size(), count));
        };
    }

    private static double[] spaced(int count, double start, double end, DoubleUnaryOperator transform) {
        return Arrays.stream(Sigmas.linspace(start, end, count)).map(transform).toArray();
    }

    private static double[] beta(int last, int count) {
        double[] timesteps = new double[count];
        for (int i = 0; i < count; i++) {
            // The distribution is symmetric; from this side, the midpoint is rounded as in ComfyUI.
            double quantile = 1 - BETA_SHAPE.inverseCumulativeProbability((double) i / count);
            timesteps[i] = Math.rint(quantile * last);
        }
        return timesteps;
    }

    private static Sigmas alignYourSteps(TrainedSigmas trained, int count) {
        double[] timesteps = new double[AYS_TIMESTEPS.length];
        for (int i = 0; i < timesteps.length; i++)
            timesteps[i] = Math.rint(AYS_TIMESTEPS[i] * (trained.size() - 1) / AYS_TIMESTEPS[0]);
        double[] aysSigmas = trained.interpolated(timesteps);
        if (count == AYS_STEPS) return new Sigmas(timesteps, aysSigmas).take(count);
        double[] sigmas = new double[count];
        for (int i = 0; i < count; i++) {
            double position = (double) i * AYS_STEPS / count;
            int lower = (int) position;
            double logLower = Math.log(aysSigmas[lower]);
            double logUpper = Math.log(aysSigmas[lower + 1]);
            sigmas[i] = Math.exp(logLower + (position - lower) * (logUpper - logLower));
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

package atomstudio.diffusion.sample;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

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
    /// Even in timesteps without the last one, so that the step to no noise is no shorter than the others; ComfyUI's name.
    SGM_UNIFORM,
    /// Every so many-th of the trained levels, from the last one on; ComfyUI's name.
    SIMPLE;

    /// Karras et al.'s choice.
    private static final double RHO = 7;
    private static final double SHAPE = 0.6;
    /// Of 1000; one more, 0, is where the last step ends before it goes to no noise.
    private static final double[] ALIGNED = {999, 850, 736, 645, 545, 455, 343, 233, 124, 24, 0};
    private static final int ALIGNED_STEPS = ALIGNED.length - 1;

    /// From the most to the least noise that named spacings in σ span.
    record Range(double most, double least) {}

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
    Points points(Ratios trained, Points model, Range range, int count) {
        return switch (this) {
            case MODEL -> model;
            case KARRAS -> Points.ofRatios(trained, even(count, Math.pow(range.most, 1 / RHO), Math.pow(range.least, 1 / RHO), root -> Math.pow(root, RHO)));
            case EXPONENTIAL -> Points.ofRatios(trained, even(count, Math.log(range.most), Math.log(range.least), Math::exp));
            case BETA_SIGMAS -> Points.ofRatios(trained, even(count, 1, 0, share -> range.least + BetaDistribution.quantile(share, SHAPE, SHAPE) * (range.most - range.least)));
            case BETA -> Points.ofTimesteps(trained, beta(trained.size() - 1, count));
            case AYS -> aligned(trained, count);
            case SGM_UNIFORM -> uniform(trained, count);
            case SIMPLE -> Points.ofTimesteps(trained, simple(trained.size(), count));
        };
    }

    @FunctionalInterface
    private interface Scale {
        double at(double value);
    }

    private static double[] even(int count, double from, double to, Scale scale) {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) values[i] = scale.at(from + (count > 1 ? i / (count - 1.0) : 0) * (to - from));
        return values;
    }

    private static double[] beta(int last, int count) {
        double[] timesteps = new double[count];
        for (int i = 0; i < count; i++) timesteps[i] = Math.rint(BetaDistribution.quantile(1 - (double) i / count, SHAPE, SHAPE) * last);
        return Arrays.stream(timesteps).distinct().toArray();
    }

    private static Points aligned(Ratios trained, int count) {
        double[] timesteps = new double[ALIGNED.length];
        for (int i = 0; i < timesteps.length; i++) timesteps[i] = Math.rint(ALIGNED[i] * (trained.size() - 1) / ALIGNED[0]);
        double[] known = trained.at(timesteps);
        if (count == ALIGNED_STEPS) return new Points(Arrays.copyOf(timesteps, count), Arrays.copyOf(known, count));
        double[] ratios = new double[count];
        for (int i = 0; i < count; i++) {
            double at = (double) i * ALIGNED_STEPS / count;
            int below = (int) at;
            ratios[i] = Math.exp(Math.log(known[below]) + (at - below) * (Math.log(known[below + 1]) - Math.log(known[below])));
        }
        return Points.ofRatios(trained, ratios);
    }

    private static Points uniform(Ratios trained, int count) {
        double[] timesteps = new double[count];
        double[] ratios = new double[count];
        for (int i = 0; i < count; i++) {
            timesteps[i] = (trained.size() - 1) * (1 - (double) i / count);
            ratios[i] = trained.between(timesteps[i]);
        }
        return new Points(timesteps, ratios);
    }

    private static double[] simple(int size, int count) {
        double[] timesteps = new double[count];
        for (int i = 0; i < count; i++) timesteps[i] = size - 1 - (int) (i * ((double) size / count));
        return timesteps;
    }
}

package atomstudio.tuning.measure;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// A mean with its 95% percentile bootstrap interval. Source: Efron and Tibshirani 1993, "An Introduction to the
/// Bootstrap", chapter 13.
public record BootstrapInterval(double mean, double low, double high) {
    private static final int RESAMPLES = 4000;

    /// Deterministic: the resamples are drawn with a fixed seed.
    /// @param values at least one
    public static BootstrapInterval ofMean(double[] values) {
        double[] weights = new double[values.length];
        Arrays.fill(weights, 1);
        return ofWeightedMean(values, weights);
    }

    /// The interval of Σ weight · value / Σ weight, whose resamples draw values together with their weights.
    /// @param values at least one
    /// @param weights above 0
    public static BootstrapInterval ofWeightedMean(double[] values, double[] weights) {
        if (values.length == 0) throw new IllegalArgumentException("values: expected at least one, found none");
        SplittableRandom random = new SplittableRandom(0);
        double[] means = new double[RESAMPLES];
        for (int k = 0; k < RESAMPLES; k++) {
            double sum = 0;
            double weight = 0;
            for (int i = 0; i < values.length; i++) {
                int drawn = random.nextInt(values.length);
                sum += weights[drawn] * values[drawn];
                weight += weights[drawn];
            }
            means[k] = sum / weight;
        }
        Arrays.sort(means);
        double mean = IntStream.range(0, values.length).mapToDouble(i -> weights[i] * values[i]).sum()
                / Arrays.stream(weights).sum();
        return new BootstrapInterval(mean, means[(int) (0.025 * RESAMPLES)], means[(int) (0.975 * RESAMPLES)]);
    }

    /// Whether every value of this interval is above the other's: a clear difference.
    public boolean isAbove(BootstrapInterval other) { return low > other.high; }
}

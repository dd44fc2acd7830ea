package atomstudio.tuning.measure;

import java.util.Arrays;
import java.util.SplittableRandom;

/// A mean with its 95% percentile bootstrap interval. Source: Efron and Tibshirani 1993, "An Introduction to the
/// Bootstrap", chapter 13.
public record BootstrapInterval(double mean, double low, double high) {
    private static final int RESAMPLES = 4000;

    /// Deterministic: the resamples are drawn with a fixed seed.
    /// @param values at least one
    public static BootstrapInterval ofMean(double[] values) {
        if (values.length == 0) throw new IllegalArgumentException("values: expected at least one, found none");
        SplittableRandom random = new SplittableRandom(0);
        double[] means = new double[RESAMPLES];
        for (int k = 0; k < RESAMPLES; k++) {
            double sum = 0;
            for (int i = 0; i < values.length; i++) sum += values[random.nextInt(values.length)];
            means[k] = sum / values.length;
        }
        Arrays.sort(means);
        return new BootstrapInterval(Arrays.stream(values).average().orElseThrow(), means[(int) (0.025 * RESAMPLES)],
                means[(int) (0.975 * RESAMPLES)]);
    }

    /// Whether every value of this interval is above the other's: a clear difference.
    public boolean isAbove(BootstrapInterval other) { return low > other.high; }
}

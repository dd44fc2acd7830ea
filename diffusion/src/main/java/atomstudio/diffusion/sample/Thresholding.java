package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;

/// What holds the predicted clean latents in a range.
public sealed interface Thresholding {
    record None() implements Thresholding {}

    /// -most..most.
    record ClipSample(double range) implements Thresholding {}

    /// What lies beyond a quantile of a picture's magnitudes is cut, and the rest scaled back to -1..1. The quantile
    /// counts as 1 where it is less, and as `most` where it is more; a `most` below 1 always holds, as in the
    /// reference.
    /// Source: Saharia et al. 2022, "Photorealistic Text-to-Image Diffusion Models", section 2.3.
    record Dynamic(double quantile, double maxValue) implements Thresholding {}

    /// As the reference's classes with `clip_sample` read it.
    static Thresholding clipOrDynamic(SchedulerConfig config, boolean clipByDefault) throws Failure {
        return config.bool("thresholding", false) ? dynamicOnly(config) : clipOnly(config, clipByDefault);
    }

    /// As the reference's class without thresholding reads it.
    static Thresholding clipOnly(SchedulerConfig config, boolean clipByDefault) throws Failure {
        return config.bool("clip_sample", clipByDefault) ? new ClipSample(config.number("clip_sample_range", 1))
                : new None();
    }

    /// As the solvers without `clip_sample` read it.
    static Thresholding dynamicOnly(SchedulerConfig config) throws Failure {
        if (!config.bool("thresholding", false)) return new None();
        double quantile = config.number("dynamic_thresholding_ratio", 0.995);
        double maxValue = config.number("sample_max_value", 1);
        if (!(quantile >= 0 && quantile <= 1))
            throw new Failure.Incompatible(
                    "scheduler_config.json: dynamic_thresholding_ratio: expected 0 to 1, found " + quantile);
        if (!(maxValue > 0))
            throw new Failure.Incompatible(
                    "scheduler_config.json: sample_max_value: expected a number above 0, found " + maxValue);
        return new Dynamic(quantile, maxValue);
    }

    /// @param denoised (B, C, H, W)
    default Tensor apply(Tensor denoised) {
        return switch (this) {
            case None none -> denoised;
            case ClipSample(double limit) -> LatentMath.clamp(denoised, limit);
            case Dynamic(double quantile, double limit) -> {
                Tensor[] rows = new Tensor[Math.toIntExact(denoised.shape().size(0))];
                for (int i = 0; i < rows.length; i++) {
                    Tensor row = denoised.rows(i, i + 1);
                    double scale = Math.min(limit, Math.max(1, quantile(row, quantile)));
                    rows[i] = LatentMath.scale(1 / scale, LatentMath.clamp(row, scale));
                }
                yield Tensor.concatenate(rows);
            }
        };
    }

    private static double quantile(Tensor values, double q) {
        float[] magnitudes = values.data().clone();
        for (int i = 0; i < magnitudes.length; i++) magnitudes[i] = Math.abs(magnitudes[i]);
        Arrays.sort(magnitudes);
        double position = q * (magnitudes.length - 1);
        int lower = (int) position;
        int upper = Math.min(lower + 1, magnitudes.length - 1);
        return magnitudes[lower] + (position - lower) * (magnitudes[upper] - magnitudes[lower]);
    }
}

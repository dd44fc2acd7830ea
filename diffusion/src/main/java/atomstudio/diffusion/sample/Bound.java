package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;

/// What holds the predicted clean latents in a range.
public sealed interface Bound {
    record Free() implements Bound {}

    /// -most..most.
    record Clip(double most) implements Bound {}

    /// What lies beyond a quantile of a picture's magnitudes is cut, and the rest scaled back to -1..1. The quantile counts as 1 where it is
    /// less, and as `most` where it is more; a `most` below 1 always holds, as in the reference.
    /// Source: Saharia et al. 2022, "Photorealistic Text-to-Image Diffusion Models", section 2.3.
    record Dynamic(double quantile, double most) implements Bound {}

    /// As the reference's classes with `clip_sample` read it.
    static Bound clipping(SchedulerConfig config, boolean otherwise) throws Failure {
        return config.flag("thresholding", false) ? thresholding(config) : clippingAlone(config, otherwise);
    }

    /// As the reference's class without thresholding reads it.
    static Bound clippingAlone(SchedulerConfig config, boolean otherwise) throws Failure {
        return config.flag("clip_sample", otherwise) ? new Clip(config.number("clip_sample_range", 1)) : new Free();
    }

    /// As the solvers without `clip_sample` read it.
    static Bound thresholding(SchedulerConfig config) throws Failure {
        if (!config.flag("thresholding", false)) return new Free();
        double quantile = config.number("dynamic_thresholding_ratio", 0.995);
        double most = config.number("sample_max_value", 1);
        if (!(quantile >= 0 && quantile <= 1)) throw new Failure.Incompatible("scheduler_config.json: dynamic_thresholding_ratio: expected 0 to 1, found " + quantile);
        if (!(most > 0)) throw new Failure.Incompatible("scheduler_config.json: sample_max_value: expected a number above 0, found " + most);
        return new Dynamic(quantile, most);
    }

    /// @param clean (B, C, H, W)
    default Tensor apply(Tensor clean) {
        return switch (this) {
            case Free free -> clean;
            case Clip(double most) -> Latents.clamp(clean, most);
            case Dynamic(double quantile, double most) -> {
                Tensor[] rows = new Tensor[Math.toIntExact(clean.shape().size(0))];
                for (int i = 0; i < rows.length; i++) {
                    Tensor row = clean.rows(i, i + 1);
                    double bound = Math.min(most, Math.max(1, quantile(row, quantile)));
                    rows[i] = Latents.scale(1 / bound, Latents.clamp(row, bound));
                }
                yield Tensor.stack(rows);
            }
        };
    }

    private static double quantile(Tensor row, double share) {
        float[] sizes = row.data().clone();
        for (int i = 0; i < sizes.length; i++) sizes[i] = Math.abs(sizes[i]);
        Arrays.sort(sizes);
        double at = share * (sizes.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sizes.length - 1);
        return sizes[below] + (at - below) * (sizes[above] - sizes[below]);
    }
}

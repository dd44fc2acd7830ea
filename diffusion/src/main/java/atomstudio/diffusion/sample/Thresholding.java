package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;

/// Thresholding of the predicted x0.
public sealed interface Thresholding {
    record None() implements Thresholding {}

    /// Clips to -range..range.
    record ClipSample(double range) implements Thresholding {}

    /// Clips each image to a quantile of its absolute values and scales it back to -1..1. The quantile is clamped to
    /// 1..maxValue; a maxValue below 1 takes precedence, as in diffusers.
    /// Source: Saharia et al. 2022, "Photorealistic Text-to-Image Diffusion Models", section 2.3.
    record Dynamic(double quantile, double maxValue) implements Thresholding {}

    /// @param denoised (B, C, H, W)
    default Tensor apply(Tensor denoised) {
        return switch (this) {
            case None none -> denoised;
            case ClipSample(double limit) -> denoised.clamped(limit);
            case Dynamic(double quantile, double limit) -> {
                Tensor[] rows = new Tensor[Math.toIntExact(denoised.shape().size(0))];
                for (int i = 0; i < rows.length; i++) {
                    Tensor row = denoised.rows(i, i + 1);
                    double scale = Math.min(limit, Math.max(1, quantile(row, quantile)));
                    rows[i] = row.clamped(scale).scaled(1 / scale);
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

package atomstudio.app.pipeline;

import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.sample.SamplingSettings;
import java.math.BigDecimal;

/// The numbers that image generation accepts, in the window and on the command line.
public final class GenerationLimits {
    public static final NumberLimit STEPS = NumberLimit.between(1, SamplingSettings.MAX_STEPS);
    public static final NumberLimit GUIDANCE_SCALE = NumberLimit.between(0, 100);
    public static final NumberLimit GUIDANCE_RESCALE = NumberLimit.between(0, 1);
    public static final NumberLimit ETA = NumberLimit.between(0, 1);
    public static final NumberLimit DENOISING_STRENGTH = NumberLimit.above(0, 1);
    public static final NumberLimit HIRES_SCALE = NumberLimit.above(1, 4);
    public static final NumberLimit ADAPTER_WEIGHT = NumberLimit.between(-WeightedAdapter.MAX_WEIGHT,
            WeightedAdapter.MAX_WEIGHT);
    /// Width and height in pixels; multiples of the model's downsampling factor.
    public static final NumberLimit SIDE = NumberLimit.between(8, 4096);

    private GenerationLimits() {}

    /// @param max inclusive
    public record NumberLimit(double min, double max, LowerBound lower) {
        public enum LowerBound { INCLUDED, EXCLUDED }

        public static NumberLimit between(double min, double max) {
            return new NumberLimit(min, max, LowerBound.INCLUDED);
        }

        public static NumberLimit above(double min, double max) {
            return new NumberLimit(min, max, LowerBound.EXCLUDED);
        }

        /// False for NaN.
        public boolean contains(double value) {
            return (lower == LowerBound.INCLUDED ? value >= min : value > min) && value <= max;
        }

        /// `1 to 1000`, `above 0 to 1`.
        @Override
        public String toString() {
            return (lower == LowerBound.INCLUDED ? "" : "above ") + format(min) + " to " + format(max);
        }

        /// Without a fraction if it is whole.
        public static String format(double number) {
            if (!Double.isFinite(number)) return String.valueOf(number);
            return BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
        }
    }
}

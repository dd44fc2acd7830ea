package atomstudio.app.generate;

import atomstudio.diffusion.sample.SamplerName;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;

/// How pictures are made, for all rows alike.
/// @param guidance 1 and below: without
/// @param strength of adapters, 0 (the base model) to 2
public record PictureSettings(String negative, Seeds seeds, SamplerName sampler, int steps, double guidance, Size size, double strength) {
    public static final int MOST_SEEDS = 8;
    public static final int MOST_STEPS = 200;
    public static final double MOST_STRENGTH = 2;

    /// `count` seeds from `first` on: the columns of a gallery.
    public record Seeds(long first, int count) {
        public List<Long> list() {
            return LongStream.range(first, first + count).boxed().toList();
        }

        /// `0–3`, `7`.
        @Override public String toString() {
            return count == 1 ? Long.toString(first) : first + "–" + (first + count - 1);
        }
    }

    /// In pixels.
    public record Size(int width, int height) {
        @Override public String toString() {
            return width + " × " + height;
        }
    }

    public static PictureSettings initial(int size, double guidance) {
        return new PictureSettings("", new Seeds(0, 4), SamplerName.DDIM, 25, guidance, new Size(size, size), 1);
    }

    /// The settings in one line, for when they are folded away.
    public String line() {
        return "seeds " + seeds + " · " + title(sampler) + " · " + steps + " steps · guidance " + number(guidance) + " · " + size
            + (negative.isBlank() ? "" : " · without “" + negative.strip() + "”");
    }

    public static String title(SamplerName sampler) {
        return sampler.title();
    }

    public static String number(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    public PictureSettings withNegative(String changed) {
        return new PictureSettings(changed, seeds, sampler, steps, guidance, size, strength);
    }

    public PictureSettings withSeeds(Seeds changed) {
        return new PictureSettings(negative, changed, sampler, steps, guidance, size, strength);
    }

    public PictureSettings withSampler(SamplerName changed) {
        return new PictureSettings(negative, seeds, changed, steps, guidance, size, strength);
    }

    public PictureSettings withSteps(int changed) {
        return new PictureSettings(negative, seeds, sampler, changed, guidance, size, strength);
    }

    public PictureSettings withGuidance(double changed) {
        return new PictureSettings(negative, seeds, sampler, steps, changed, size, strength);
    }

    public PictureSettings withSize(Size changed) {
        return new PictureSettings(negative, seeds, sampler, steps, guidance, changed, strength);
    }

    public PictureSettings withStrength(double changed) {
        return new PictureSettings(negative, seeds, sampler, steps, guidance, size, changed);
    }
}

package atomstudio.diffusion.engine;

import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplingSettings;
import java.util.List;
import java.util.Optional;

/// Everything that decides one picture.
/// @param hires a second, larger pass over what the first one made
public record Generation(PromptPair prompt, GenerationSettings settings, long seed, List<WeightedAdapter> adapters,
        Source source, Optional<Hires> hires) {
    public Generation {
        adapters = List.copyOf(adapters);
    }

    /// From nothing but noise, in one pass.
    public Generation(PromptPair prompt, GenerationSettings settings, long seed, List<WeightedAdapter> adapters) {
        this(prompt, settings, seed, adapters, new Source.FromNoise(), Optional.empty());
    }

    /// What the picture should show, and what it should not; both may be empty.
    public record PromptPair(String positive, String negative) {}

    /// How it is sampled; width and height in pixels.
    /// @param clipSkip which of the text encoder's last layers is read, counted from the end: 1 is the last
    public record GenerationSettings(SamplingSettings sampling, Guidance guidance, int clipSkip, int width,
            int height) {
        public static GenerationSettings of(SamplingSettings sampling, double guidance, int width, int height) {
            return new GenerationSettings(sampling, Guidance.of(guidance), 1, width, height);
        }
    }

    /// What it starts from.
    public sealed interface Source {
        record FromNoise() implements Source {}

        /// A picture of any size: its largest centred part of the asked shape is scaled to the asked size, the mask's
        /// like it.
        /// @param mask    where the picture may change; everywhere if empty
        /// @param denoisingStrength how much of the steps is walked anew, above 0 to 1
        record FromImage(RgbImage image, Optional<Mask> mask, double denoisingStrength) implements Source {}
    }

    /// A second pass from the first one's latents, enlarged.
    /// @param scale   of the sides, above 1
    /// @param denoisingStrength how much of the steps is walked anew, above 0 to 1
    public record Hires(double scale, double denoisingStrength) {}

    public Generation withSeed(long other) {
        return new Generation(prompt, settings, other, adapters, source, hires);
    }

    public Generation with(PromptPair other) {
        return new Generation(other, settings, seed, adapters, source, hires);
    }

    public Generation withSource(Source other) {
        return new Generation(prompt, settings, seed, adapters, other, hires);
    }

    public Generation with(Hires other) {
        return new Generation(prompt, settings, seed, adapters, source, Optional.of(other));
    }
}

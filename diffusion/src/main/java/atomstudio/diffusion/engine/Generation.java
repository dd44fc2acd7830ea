package atomstudio.diffusion.engine;

import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplingSettings;
import java.util.List;
import java.util.Optional;

/// The parameters of one image.
/// @param hires a second pass at a higher resolution (hires fix)
public record Generation(PromptPair prompt, GenerationSettings settings, long seed, List<WeightedAdapter> adapters,
        Source source, Optional<Hires> hires) {
    public Generation {
        adapters = List.copyOf(adapters);
    }

    /// Text to image, in one pass.
    public Generation(PromptPair prompt, GenerationSettings settings, long seed, List<WeightedAdapter> adapters) {
        this(prompt, settings, seed, adapters, new Source.FromNoise(), Optional.empty());
    }

    /// The prompt and the negative prompt; both may be empty.
    public record PromptPair(String positive, String negative) {}

    /// Width and height in pixels.
    /// @param clipSkip the text encoder's output layer, counted from the end: 1 is the last
    public record GenerationSettings(SamplingSettings sampling, Guidance guidance, int clipSkip, int width,
            int height) {
        public static GenerationSettings of(SamplingSettings sampling, double guidance, int width, int height) {
            return new GenerationSettings(sampling, Guidance.of(guidance), 1, width, height);
        }
    }

    /// What sampling starts from.
    public sealed interface Source {
        record FromNoise() implements Source {}

        /// Img2img or inpainting. An image of any size, center-cropped and resized to the output size; so is the mask.
        /// @param mask white where the image may change; all of it if empty
        /// @param denoisingStrength share of the steps that are run, above 0 to 1
        record FromImage(RgbImage image, Optional<Mask> mask, double denoisingStrength) implements Source {}
    }

    /// A second pass from the first one's upscaled latents.
    /// @param scale of width and height, above 1
    /// @param denoisingStrength share of the steps that are run, above 0 to 1
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

package atomstudio.diffusion.engine;

import atomstudio.diffusion.sample.SamplerName;
import java.util.List;

/// Everything that decides one picture.
public record Generation(Prompt prompt, Settings settings, long seed, List<Applied> adapters) {
    public Generation {
        adapters = List.copyOf(adapters);
    }

    /// What the picture should show, and what it should not; both may be empty.
    public record Prompt(String text, String negative) {}

    /// How it is sampled; width and height in pixels.
    public record Settings(SamplerName sampler, SamplerName.Spaced spaced, int steps, double guidance, int width, int height) {}

    public Generation withSeed(long other) {
        return new Generation(prompt, settings, other, adapters);
    }
}

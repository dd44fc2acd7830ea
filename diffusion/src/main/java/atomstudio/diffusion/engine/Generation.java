package atomstudio.diffusion.engine;

import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.Sampling;
import java.util.List;

/// Everything that decides one picture.
public record Generation(Prompt prompt, Settings settings, long seed, List<Applied> adapters) {
    public Generation {
        adapters = List.copyOf(adapters);
    }

    /// What the picture should show, and what it should not; both may be empty.
    public record Prompt(String text, String negative) {}

    /// How it is sampled; width and height in pixels.
    /// @param clipSkip which of the text encoder's last layers is read, counted from the end: 1 is the last
    public record Settings(Sampling sampling, Guidance guidance, int clipSkip, int width, int height) {
        public static Settings of(Sampling sampling, double guidance, int width, int height) {
            return new Settings(sampling, Guidance.of(guidance), 1, width, height);
        }
    }

    public Generation withSeed(long other) {
        return new Generation(prompt, settings, other, adapters);
    }
}

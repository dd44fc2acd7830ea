package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// What a network's output means. Written for x = alpha · x0 + sigma · noise.
/// Source: Salimans and Ho 2022, "Progressive Distillation", section 4 and appendix D (v = alpha · noise - sigma · x0).
public enum Prediction {
    EPSILON, V, SAMPLE;

    /// On the command line.
    public String option() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<Prediction> ofOption(String option) {
        return Arrays.stream(values()).filter(prediction -> prediction.option().equals(option)).findFirst();
    }

    /// The clean latents x0 that the output implies. EPSILON has none where alpha is 0.
    public Tensor clean(Tensor x, Tensor output, Level at) {
        return switch (this) {
            case EPSILON -> Latents.sum(1 / at.alpha(), x, -at.sigma() / at.alpha(), output);
            case V -> Latents.sum(at.alpha(), x, -at.sigma(), output);
            case SAMPLE -> output;
        };
    }

    /// The noise that the output implies. SAMPLE has none where sigma is 0.
    public Tensor noise(Tensor x, Tensor output, Level at) {
        return switch (this) {
            case EPSILON -> output;
            case V -> Latents.sum(at.sigma(), x, at.alpha(), output);
            case SAMPLE -> Latents.sum(1 / at.sigma(), x, -at.alpha() / at.sigma(), output);
        };
    }
}

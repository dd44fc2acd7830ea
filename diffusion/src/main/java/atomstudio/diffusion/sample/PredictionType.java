package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// What a network's output means. Written for x = alpha · x0 + sigma · noise.
/// Source: Salimans and Ho 2022, "Progressive Distillation", section 4 and appendix D (v = alpha · noise - sigma · x0).
public enum PredictionType {
    EPSILON, V, SAMPLE;

    /// On the command line.
    public String option() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<PredictionType> ofOption(String option) {
        return Arrays.stream(values()).filter(type -> type.option().equals(option)).findFirst();
    }

    /// The clean latents x0 that the output implies. EPSILON has none where alpha is 0.
    public Tensor denoised(Tensor x, Tensor output, NoiseLevel level) {
        return switch (this) {
            case EPSILON -> LatentMath.weightedSum(1 / level.alphaT(), x, -level.sigmaT() / level.alphaT(), output);
            case V -> LatentMath.weightedSum(level.alphaT(), x, -level.sigmaT(), output);
            case SAMPLE -> output;
        };
    }

    /// The noise that the output implies. SAMPLE has none where sigma is 0.
    public Tensor epsilon(Tensor x, Tensor output, NoiseLevel level) {
        return switch (this) {
            case EPSILON -> output;
            case V -> LatentMath.weightedSum(level.sigmaT(), x, level.alphaT(), output);
            case SAMPLE -> LatentMath.weightedSum(1 / level.sigmaT(), x, -level.alphaT() / level.sigmaT(), output);
        };
    }
}

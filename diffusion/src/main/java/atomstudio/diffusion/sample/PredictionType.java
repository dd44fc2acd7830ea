package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// The meaning of the network's output, for x = alpha · x0 + sigma · noise.
/// Source: Salimans and Ho 2022, "Progressive Distillation", section 4 and appendix D (v = alpha · noise - sigma · x0).
public enum PredictionType {
    EPSILON, V, SAMPLE;

    /// The command line's name.
    public String option() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<PredictionType> ofOption(String option) {
        return Arrays.stream(values()).filter(type -> type.option().equals(option)).findFirst();
    }

    /// `prediction_type` in a scheduler config.
    String configValue() {
        return this == V ? "v_prediction" : option();
    }

    /// @throws Failure.Unsupported for other types than epsilon, v_prediction and sample
    static PredictionType of(SchedulerConfig config) throws Failure {
        String value = config.string("prediction_type", EPSILON.configValue());
        for (PredictionType type : values()) if (type.configValue().equals(value)) return type;
        throw config.unsupported("prediction_type", value);
    }

    /// The x0 that follows from the output. Undefined for EPSILON if alpha is 0.
    public Tensor denoised(Tensor x, Tensor output, NoiseLevel level) {
        return switch (this) {
            case EPSILON -> Tensor.weightedSum(1 / level.alphaT(), x, -level.sigmaT() / level.alphaT(), output);
            case V -> Tensor.weightedSum(level.alphaT(), x, -level.sigmaT(), output);
            case SAMPLE -> output;
        };
    }

    /// The noise that follows from the output. Undefined for SAMPLE if sigma is 0.
    public Tensor epsilon(Tensor x, Tensor output, NoiseLevel level) {
        return switch (this) {
            case EPSILON -> output;
            case V -> Tensor.weightedSum(level.sigmaT(), x, level.alphaT(), output);
            case SAMPLE -> Tensor.weightedSum(1 / level.sigmaT(), x, -level.alphaT() / level.sigmaT(), output);
        };
    }
}

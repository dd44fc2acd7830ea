package atomstudio.tuning.config;

import atomstudio.tuning.method.MethodSettings;
import java.util.Locale;
import java.util.Optional;

/// Warns when a large model is trained with a default learning rate: the defaults were found on the small default
/// model (docs/experiments.md) and are far too high for Stable Diffusion.
public final class LearningRateAdvice {
    /// UNet parameters from which a model counts as large; Stable Diffusion 1.5 has 859,520,964.
    private static final long LARGE_MODEL_PARAMETERS = 200_000_000;

    private LearningRateAdvice() {}

    /// @param parameterCount of the UNet
    /// @return empty if the rate was chosen by the user or suits the model
    public static Optional<String> of(MethodSettings method, TrainingConfig config, long parameterCount) {
        boolean isDefaultRate = config.schedule().learningRate() == method.choice().learningRate()
                && config.optimizer().name() != TrainingConfig.OptimizerName.PRODIGY;
        if (parameterCount < LARGE_MODEL_PARAMETERS || !isDefaultRate) return Optional.empty();
        return Optional.of(String.format(Locale.ROOT,
                "the learning rate %s is the default, which suits the small default model; for a model of %,d million "
                        + "parameters start with a smaller one, such as %s, and more steps "
                        + "(500 to 1000)",
                format(method.choice().learningRate()), parameterCount / 1_000_000,
                format(method.choice().publishedLearningRate())));
    }

    private static String format(double rate) {
        return Double.toString(rate).replace("E", "e");
    }
}

package atomstudio.tuning.config;

import atomstudio.tuning.method.MethodSettings;
import java.util.Locale;
import java.util.Optional;

/// Warns of a default learning rate on a model that it was not found on: the defaults are those of the small default
/// model (docs/experiments.md), and far too high for Stable Diffusion itself.
public final class LearningRateAdvice {
    /// Parameters of a UNet from which a model is one of the published ones; Stable Diffusion 1.5's has 859,520,964.
    private static final long LARGE_MODEL_PARAMETERS = 200_000_000;

    private LearningRateAdvice() {}

    /// @param parameterCount of the UNet
    /// @return empty where the rate was chosen by the person or suits the model
    public static Optional<String> of(MethodSettings method, TrainingConfig config, long parameterCount) {
        boolean isDefaultRate = config.schedule().learningRate() == method.choice().learningRate()
                && config.optimizer().name() != TrainingConfig.OptimizerName.PRODIGY;
        if (parameterCount < LARGE_MODEL_PARAMETERS || !isDefaultRate) return Optional.empty();
        return Optional.of(String.format(Locale.ROOT,
                "the learning rate %s is the default, found on the small default model; on a model of %,d million parameters start with a smaller one, such as --rate %s, and more --steps (500 to 1000)",
                number(method.choice().learningRate()), parameterCount / 1_000_000,
                number(method.choice().publishedLearningRate())));
    }

    private static String number(double rate) {
        return Double.toString(rate).replace("E", "e");
    }
}

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
                        + "parameters start with a smaller one, such as --learning-rate %s, and more --steps "
                        + "(500 to 1000)",
                format(method.choice().learningRate()), parameterCount / 1_000_000,
                format(publishedRate(method.choice()))));
    }

    /// Sources: kohya's and peft's LoRA examples (1e-4), diffusers' textual inversion (5e-4) and DreamBooth (5e-6),
    /// Qiu et al. 2023 (OFT, 6e-5), mkshing's DiffFit and BitFit (1e-3). None is published for filter atoms, which
    /// get DiffFit's rate, since it trains as few parameters.
    private static double publishedRate(MethodSettings.MethodName choice) {
        return switch (choice) {
            case ATOMS, ATOMS_AND_WORD, OVERCOMPLETE, CHANNELS, ATOMS_AND_CHANNELS, OVERCOMPLETE_AND_CHANNELS -> 1e-3;
            case LORA, LOCON, LOHA, LOKR, DORA, GLORA -> 1e-4;
            case OFT -> 6e-5;
            case TEXTUAL_INVERSION -> 5e-4;
            case BITFIT, NORM, SSF, DIFFFIT -> 1e-3;
            case FULL -> 5e-6;
        };
    }

    private static String format(double rate) {
        return Double.toString(rate).replace("E", "e");
    }
}

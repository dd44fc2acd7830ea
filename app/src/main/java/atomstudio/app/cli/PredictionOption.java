package atomstudio.app.cli;

import atomstudio.diffusion.sample.PredictionType;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// `--prediction`, for every command that runs a UNet. Use it as a picocli mixin.
final class PredictionOption {
    @Option(names = "--prediction", paramLabel = "NAME", completionCandidates = PredictionNames.class,
            converter = PredictionNames.class,
            description = "Prediction type of the model: ${COMPLETION-CANDIDATES}. Default: as declared by the model, "
                    + "or detected from its weights.")
    private @Nullable PredictionType prediction;

    /// Empty: the model's.
    Optional<PredictionType> prediction() {
        return Optional.ofNullable(prediction);
    }

    private static final class PredictionNames extends NamedValues<PredictionType> {
        PredictionNames() {
            super(PredictionType.values(), prediction -> prediction.name().toLowerCase(Locale.ROOT));
        }
    }
}

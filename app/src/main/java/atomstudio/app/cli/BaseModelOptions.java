package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.sample.PredictionType;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The base model and how to load it.
final class BaseModelOptions {
    @Option(names = "--model", paramLabel = "DIR-OR-FILE",
            description = "Stable Diffusion 1.x or 2.x: a folder in diffusers' layout or one file (.safetensors, "
                    + ".ckpt). "
                    + "Default: the embedded model.")
    private @Nullable Path model;

    @Option(names = "--vae", paramLabel = "DIR-OR-FILE",
            description = "Another VAE: a file, or a folder with config.json. Default: the model's.")
    private @Nullable Path vae;

    @Option(names = "--tokenizer", paramLabel = "DIR",
            description = "Tokenizer for a model in one file: a folder with vocab.json and merges.txt, or with CLIP's "
                    + "bpe_simple_vocab_16e6.txt.gz. Default: beside the file, in the folder clip-vocabulary of the "
                    + "home, or of another known model with the same vocabulary size.")
    private @Nullable Path tokenizer;

    /// Whether one of the options was given.
    boolean isGiven() { return model != null || vae != null || tokenizer != null; }

    /// The chosen model, or the embedded one.
    /// @param prediction empty: as declared by the model, or detected
    ModelReference reference(CommandContext context, Optional<PredictionType> prediction) throws Failure {
        return reference(context, prediction, Optional.empty());
    }

    /// @param fallback the model where none was chosen
    ModelReference reference(CommandContext context, Optional<PredictionType> prediction, Optional<Path> fallback)
            throws Failure {
        return new ModelReference(context.modelPath(model == null ? fallback.orElse(null) : model),
                new ModelLoadOptions(prediction, Optional.ofNullable(vae),
                        Optional.ofNullable(tokenizer), context.tokenizerLocations()));
    }
}

package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.sample.PredictionType;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Which model, and what is said of it.
final class BaseModelOptions {
    static final String MODEL_DESCRIPTION = "A Stable Diffusion 1.x or 2.x: a folder in diffusers' layout, or one file (.safetensors, .ckpt). Default: the embedded model.";
    static final String VAE_DESCRIPTION = "Another autoencoder: a file, or a folder with config.json. Default: the model's own.";
    static final String TOKENIZER_DESCRIPTION = "The tokenizer of a model in one file: vocab.json and merges.txt, or CLIP's bpe_simple_vocab_16e6.txt.gz. "
            + "Default: beside the file, in the studio's home, or a known model's of the same size.";

    @Option(names = "--model", paramLabel = "DIR-OR-FILE", description = MODEL_DESCRIPTION)
    private @Nullable Path model;

    @Option(names = "--vae", paramLabel = "DIR-OR-FILE", description = VAE_DESCRIPTION)
    private @Nullable Path vae;

    @Option(names = "--tokenizer", paramLabel = "DIR", description = TOKENIZER_DESCRIPTION)
    private @Nullable Path tokenizer;

    /// The model that the person named, or the embedded one.
    /// @param prediction what the person says that it predicts
    ModelReference reference(CommandContext context, Optional<PredictionType> prediction) throws Failure {
        return new ModelReference(context.modelPath(model), new ModelLoadOptions(prediction, Optional.ofNullable(vae),
                Optional.ofNullable(tokenizer), context.tokenizerLocations()));
    }
}

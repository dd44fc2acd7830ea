package atomstudio.diffusion.model;

import atomstudio.diffusion.sample.PredictionType;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a person says of a model beyond where it lies.
/// @param predictionType   what the UNet predicts, over what the model says of itself or what was guessed
/// @param vae          another autoencoder: a folder, or a file
/// @param tokenizer    a folder with the tokenizer, for a file that brings none
/// @param tokenizerFolders folders in which to look for a tokenizer where none lies beside the file, in this order;
///     those that do not exist or are of another size are passed over
public record ModelLoadOptions(Optional<PredictionType> predictionType, Optional<Path> vae, Optional<Path> tokenizer,
        List<Path> tokenizerFolders) {
    public ModelLoadOptions {
        tokenizerFolders = List.copyOf(tokenizerFolders);
    }

    public static ModelLoadOptions defaults() {
        return ofTokenizerFolders(List.of());
    }

    /// Nothing said, and these places to look for a tokenizer.
    public static ModelLoadOptions ofTokenizerFolders(List<Path> tokenizerFolders) {
        return new ModelLoadOptions(Optional.empty(), Optional.empty(), Optional.empty(), tokenizerFolders);
    }

    /// The same, and these places to look for a tokenizer.
    public ModelLoadOptions withTokenizerFolders(List<Path> folders) {
        return new ModelLoadOptions(predictionType, vae, tokenizer, folders);
    }

    public ModelLoadOptions withPredictionType(PredictionType type) {
        return new ModelLoadOptions(Optional.of(type), vae, tokenizer, tokenizerFolders);
    }

    public ModelLoadOptions withVae(Path path) {
        return new ModelLoadOptions(predictionType, Optional.of(path), tokenizer, tokenizerFolders);
    }

    public ModelLoadOptions withTokenizer(Path folder) {
        return new ModelLoadOptions(predictionType, vae, Optional.of(folder), tokenizerFolders);
    }
}

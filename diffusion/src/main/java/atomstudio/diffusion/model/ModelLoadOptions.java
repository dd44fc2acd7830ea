package atomstudio.diffusion.model;

import atomstudio.diffusion.sample.PredictionType;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The user's options for loading a model.
/// @param predictionType overrides the declared or inferred prediction type
/// @param vae replaces the autoencoder: a folder or a file
/// @param tokenizer the tokenizer folder, for a single file
/// @param tokenizerFolders folders to search for a tokenizer after those next to the file, in order; missing ones and
///     vocabularies of another size are skipped
public record ModelLoadOptions(Optional<PredictionType> predictionType, Optional<Path> vae, Optional<Path> tokenizer,
        List<Path> tokenizerFolders) {
    public ModelLoadOptions {
        tokenizerFolders = List.copyOf(tokenizerFolders);
    }

    public static ModelLoadOptions defaults() {
        return ofTokenizerFolders(List.of());
    }

    /// The default options with tokenizer search folders.
    public static ModelLoadOptions ofTokenizerFolders(List<Path> tokenizerFolders) {
        return new ModelLoadOptions(Optional.empty(), Optional.empty(), Optional.empty(), tokenizerFolders);
    }

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

package atomstudio.diffusion.model;

import atomstudio.diffusion.sample.PredictionType;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a person says of a model beyond where it lies.
/// @param prediction   what the UNet predicts, over what the model says of itself or what was guessed
/// @param vae          another autoencoder: a folder, or a file
/// @param tokenizer    a folder with the tokenizer, for a file that brings none
/// @param vocabularies folders in which to look for a tokenizer where none lies beside the file, in this order; those that do not exist or
///                     are of another size are passed over
public record ModelChoices(Optional<PredictionType> prediction, Optional<Path> vae, Optional<Path> tokenizer, List<Path> vocabularies) {
    public ModelChoices {
        vocabularies = List.copyOf(vocabularies);
    }

    public static ModelChoices none() {
        return searching(List.of());
    }

    /// Nothing said, and these places to look for a tokenizer.
    public static ModelChoices searching(List<Path> vocabularies) {
        return new ModelChoices(Optional.empty(), Optional.empty(), Optional.empty(), vocabularies);
    }

    /// The same, and these places to look for a tokenizer.
    public ModelChoices lookingIn(List<Path> places) {
        return new ModelChoices(prediction, vae, tokenizer, places);
    }

    public ModelChoices withPrediction(PredictionType said) {
        return new ModelChoices(Optional.of(said), vae, tokenizer, vocabularies);
    }

    public ModelChoices withVae(Path place) {
        return new ModelChoices(prediction, Optional.of(place), tokenizer, vocabularies);
    }

    public ModelChoices withTokenizer(Path folder) {
        return new ModelChoices(prediction, vae, Optional.of(folder), vocabularies);
    }
}

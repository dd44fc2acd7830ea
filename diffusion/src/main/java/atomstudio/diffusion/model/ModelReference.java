package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;

/// The path of a model and the user's options for loading it; nothing is read until it is opened.
public record ModelReference(Path path, ModelLoadOptions options) {
    /// A model with the default options.
    public static ModelReference of(Path path) {
        return new ModelReference(path, ModelLoadOptions.defaults());
    }

    /// @throws Failure when it is not a model, or not a supported one
    public DiffusionModel open() throws Failure {
        return DiffusionModel.open(path, options);
    }
}

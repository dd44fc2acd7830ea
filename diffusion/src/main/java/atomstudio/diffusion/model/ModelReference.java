package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;

/// A model as a person names it: where it lies, and what they say of it. Nothing is read before it is opened.
public record ModelReference(Path path, ModelLoadOptions options) {
    /// A model that nothing more is said of.
    public static ModelReference of(Path path) {
        return new ModelReference(path, ModelLoadOptions.defaults());
    }

    /// @throws Failure when it is no model, or one that cannot be run
    public DiffusionModel open() throws Failure {
        return DiffusionModel.open(path, options);
    }
}

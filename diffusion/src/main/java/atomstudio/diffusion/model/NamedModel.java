package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;

/// A model as a person names it: where it lies, and what they say of it. Nothing is read before it is opened.
public record NamedModel(Path place, ModelChoices choices) {
    /// A model that nothing more is said of.
    public static NamedModel at(Path place) {
        return new NamedModel(place, ModelChoices.none());
    }

    /// @throws Failure when it is no model, or one that cannot be run
    public ModelFolder open() throws Failure {
        return ModelFolder.open(place, choices);
    }
}

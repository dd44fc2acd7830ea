package atomstudio.app.models;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What the window says of a model. `pictureSize` is the side in pixels that the model was made for.
/// @param parameters numbers in the UNet, of which a method tunes a share
/// @param path the folder, or the file
/// @param warnings what a person should know before relying on it
/// @param classWords things the model is known to draw, for suggestions; may be empty
public record ModelSummary(Path path, String name, Origin origin, int imageSize, long parameters,
        List<String> classWords, ModelWarnings warnings) {
    public enum Origin { BUILT_IN, EXTERNAL }

    public ModelSummary {
        classWords = List.copyOf(classWords);
    }

    /// @param assumptions what was guessed of it
    /// @param missingTokenizer  why it cannot read prompts yet, and what to do
    public record ModelWarnings(List<String> assumptions, Optional<String> missingTokenizer) {
        public static final ModelWarnings NONE = new ModelWarnings(List.of(), Optional.empty());

        public ModelWarnings {
            assumptions = List.copyOf(assumptions);
        }
    }

    /// Of a model that nothing need be known of.
    public ModelSummary(Path path, String name, Origin origin, int imageSize, long parameters,
            List<String> classWords) {
        this(path, name, origin, imageSize, parameters, classWords, ModelWarnings.NONE);
    }

    /// `Small illustrated · 128 px`.
    public String title() {
        return name + " · " + imageSize + " px";
    }

    /// What the reference recipes use: small illustrated models want less guidance than photographs.
    public double defaultGuidanceScale() {
        return origin == Origin.BUILT_IN ? 4 : 7.5;
    }

    /// Reads what a model, in a folder or a file, says of itself, without loading its weights.
    public interface SummaryReader {
        ModelSummary readBuiltIn() throws Failure;

        /// @throws Failure.Unreadable when it is no model
        /// @throws Failure.Incompatible when the model is of a kind that cannot be run
        ModelSummary read(Path path) throws Failure;
    }
}

package atomstudio.app.models;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A model as shown in the window.
/// @param path the model folder or file
/// @param imageSize side in pixels the model was trained for
/// @param parameters number of parameters of the UNet
/// @param classWords words for things the model draws, as suggestions; may be empty
public record ModelSummary(Path path, String name, Origin origin, int imageSize, long parameters,
        List<String> classWords, ModelWarnings warnings) {
    public enum Origin { BUILT_IN, EXTERNAL }

    public ModelSummary {
        classWords = List.copyOf(classWords);
    }

    /// @param assumptions properties that were detected rather than declared
    /// @param missingTokenizer why prompts cannot be encoded yet, and what to do
    public record ModelWarnings(List<String> assumptions, Optional<String> missingTokenizer) {
        public static final ModelWarnings NONE = new ModelWarnings(List.of(), Optional.empty());

        public ModelWarnings {
            assumptions = List.copyOf(assumptions);
        }
    }

    /// Without warnings.
    public ModelSummary(Path path, String name, Origin origin, int imageSize, long parameters,
            List<String> classWords) {
        this(path, name, origin, imageSize, parameters, classWords, ModelWarnings.NONE);
    }

    /// `Small illustrated · 128 px`.
    public String title() {
        return name + " · " + imageSize + " px";
    }

    /// The small built-in model needs less guidance than Stable Diffusion's usual 7.5.
    public double defaultGuidanceScale() {
        return origin == Origin.BUILT_IN ? 4 : 7.5;
    }

    /// Reads a model's configuration and layers, without loading its weights.
    public interface SummaryReader {
        ModelSummary readBuiltIn() throws Failure;

        /// @throws Failure.Unreadable if it is not a model
        /// @throws Failure.Incompatible if the kind of model is not supported
        ModelSummary read(Path path) throws Failure;
    }
}

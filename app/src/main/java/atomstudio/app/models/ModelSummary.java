package atomstudio.app.models;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A model as shown in the window.
/// @param path the model folder or file
/// @param defaults the settings that it suggests
/// @param parameters number of parameters of the UNet
/// @param classWords words for things the model draws, as suggestions; may be empty
public record ModelSummary(Path path, String name, Origin origin, ModelDefaults defaults, long parameters,
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
    public ModelSummary(Path path, String name, Origin origin, ModelDefaults defaults, long parameters,
            List<String> classWords) {
        this(path, name, origin, defaults, parameters, classWords, ModelWarnings.NONE);
    }

    /// Side in pixels that the model was trained for.
    public int imageSize() {
        return defaults.size();
    }

    /// `Small illustrated · 128 px`.
    public String title() {
        return text("models.px", name, imageSize());
    }

    /// Reads a model's configuration and layers, without loading its weights.
    public interface SummaryReader {
        ModelSummary readBuiltIn() throws Failure;

        /// @throws Failure.Unreadable if it is not a model
        /// @throws Failure.Incompatible if the kind of model is not supported
        ModelSummary read(Path path) throws Failure;

        /// What is shown about a model besides its summary; reads its weights unless their hash is cached.
        default Optional<ModelDetails> readDetails(Path path) throws Failure {
            return Optional.empty();
        }

        /// The models that were downloaded from a hub.
        default List<Path> downloaded() {
            return List.of();
        }
    }
}

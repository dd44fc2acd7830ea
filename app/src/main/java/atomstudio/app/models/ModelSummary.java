package atomstudio.app.models;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What the window says of a model. `pictureSize` is the side in pixels that the model was made for.
/// @param parameters numbers in the UNet, of which a method tunes a share
/// @param folder the folder, or the file
/// @param remarks what a person should know before relying on it
/// @param words things the model is known to draw, for suggestions; may be empty
public record ModelSummary(Path folder, String name, Origin origin, int pictureSize, long parameters, List<String> words, Remarks remarks) {
    public enum Origin { EMBEDDED, FOLDER }

    public ModelSummary {
        words = List.copyOf(words);
    }

    /// @param notes what was guessed of it
    /// @param lack  why it cannot read prompts yet, and what to do
    public record Remarks(List<String> notes, Optional<String> lack) {
        public static final Remarks NONE = new Remarks(List.of(), Optional.empty());

        public Remarks {
            notes = List.copyOf(notes);
        }
    }

    /// Of a model that nothing need be known of.
    public ModelSummary(Path folder, String name, Origin origin, int pictureSize, long parameters, List<String> words) {
        this(folder, name, origin, pictureSize, parameters, words, Remarks.NONE);
    }

    /// `Small illustrated · 128 px`.
    public String title() {
        return name + " · " + pictureSize + " px";
    }

    /// What the reference recipes use: small illustrated models want less guidance than photographs.
    public double guidance() {
        return origin == Origin.EMBEDDED ? 4 : 7.5;
    }
}

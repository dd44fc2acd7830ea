package atomstudio.tuning.measure;

import java.util.List;
import java.util.Optional;

/// What was made for one prompt: the pictures, and the prompt itself with the class word in the subject's place, where texts can be embedded.
public record Samples(List<Embedding> pictures, Optional<Embedding> prompt) {
    public Samples {
        pictures = List.copyOf(pictures);
        if (pictures.isEmpty()) throw new IllegalArgumentException("samples: expected at least one picture of a prompt, found none");
    }
}

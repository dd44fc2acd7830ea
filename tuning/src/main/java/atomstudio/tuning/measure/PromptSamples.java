package atomstudio.tuning.measure;

import java.util.List;
import java.util.Optional;

/// What was made for one prompt: the pictures, and the prompt itself with the class word in the subject's place, where texts can be embedded.
public record PromptSamples(List<ClipEmbedding> images, Optional<ClipEmbedding> prompt) {
    public PromptSamples {
        images = List.copyOf(images);
        if (images.isEmpty()) throw new IllegalArgumentException("samples: expected at least one picture of a prompt, found none");
    }
}

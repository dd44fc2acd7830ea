package atomstudio.diffusion.picture;

import java.util.List;

/// How a picture was made, and the small adapters that it was made with.
public record Making(GenerationText text, List<PngAttachment> adapters) {
    public Making {
        adapters = List.copyOf(adapters);
    }
}

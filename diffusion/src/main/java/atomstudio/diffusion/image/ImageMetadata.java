package atomstudio.diffusion.image;

import java.util.List;

/// How a picture was made, and the small adapters that it was made with.
public record ImageMetadata(Infotext infotext, List<PngAttachment> adapters) {
    public ImageMetadata {
        adapters = List.copyOf(adapters);
    }
}

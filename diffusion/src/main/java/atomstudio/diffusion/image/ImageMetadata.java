package atomstudio.diffusion.image;

import java.util.List;

/// The generation metadata of an image: its infotext, and the embedded adapters.
public record ImageMetadata(Infotext infotext, List<PngAttachment> adapters) {
    public ImageMetadata {
        adapters = List.copyOf(adapters);
    }
}

package atomstudio.diffusion.image;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The generation metadata of an image: its infotext, and the embedded adapters.
/// @param texts further texts by PNG keyword, for the program's own use
public record ImageMetadata(Infotext infotext, List<PngAttachment> adapters, Map<String, String> texts) {
    public ImageMetadata {
        adapters = List.copyOf(adapters);
        texts = Map.copyOf(texts);
    }

    public ImageMetadata(Infotext infotext, List<PngAttachment> adapters) {
        this(infotext, adapters, Map.of());
    }

    /// Adds a text.
    public ImageMetadata withText(String keyword, String text) {
        Map<String, String> changed = new LinkedHashMap<>(texts);
        changed.put(keyword, text);
        return new ImageMetadata(infotext, adapters, changed);
    }

    /// All texts by PNG keyword, the infotext first.
    Map<String, String> toPngText() {
        Map<String, String> all = new LinkedHashMap<>(infotext.toPngText());
        texts.keySet().stream().sorted().forEach(keyword -> all.put(keyword, texts.get(keyword)));
        return all;
    }
}

package atomstudio.app.subjects;

import atomstudio.diffusion.picture.RgbImage;
import java.nio.file.Path;

/// A picture file and a small square of it.
public record Thumbnail(Path file, RgbImage image) {
    /// Pixels a side: twice what is shown, for dense screens.
    public static final int SIZE = 128;
}

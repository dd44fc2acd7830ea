package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.diffusion.image.RgbImage;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class GalleryRowTest {
    /// The images of a batch are previewed at the same time.
    @Test
    void showsAPreviewOfEachSeedUntilItsImageIsReady() {
        RgbImage first = RgbImage.filled(4, 4, 1);
        RgbImage second = RgbImage.filled(4, 4, 2);
        GalleryRow row = new GalleryRow(Optional.empty());
        row.showPreview(7, first);
        row.showPreview(8, second);
        assertEquals(Map.of(7L, first, 8L, second), row.previews());
        row.showPreview(8, first);
        row.clearPreview(7);
        assertEquals(Map.of(8L, first), row.previews());
        row.stop();
        assertEquals(Map.of(), row.previews());
    }
}

package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.diffusion.image.RgbImage;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GalleryRowTest {
    /// The images of a batch are previewed at the same time.
    @Test
    void showsAPreviewOfEachOrderUntilItsImageIsReady() {
        RgbImage first = RgbImage.filled(4, 4, 1);
        RgbImage second = RgbImage.filled(4, 4, 2);
        GalleryRow row = new GalleryRow();
        row.showPreview("seed 7", first);
        row.showPreview("seed 8", second);
        assertEquals(Map.of("seed 7", first, "seed 8", second), row.previews());
        row.showPreview("seed 8", first);
        row.clearPreview("seed 7");
        assertEquals(Map.of("seed 8", first), row.previews());
        row.stop();
        assertEquals(Map.of(), row.previews());
    }
}

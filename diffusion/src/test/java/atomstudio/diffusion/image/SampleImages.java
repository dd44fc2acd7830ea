package atomstudio.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import atomstudio.diffusion.Failure;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;

/// The little pictures in the test resources (made by `make.py` there), and what they show.
final class SampleImages {
    static final int WIDTH = 24;
    static final int HEIGHT = 16;

    private SampleImages() {}

    static Path file(String name) {
        URL url = Objects.requireNonNull(SampleImages.class.getResource("/pictures/" + name), name);
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static RgbImage read(String name) throws Failure {
        return ImageFiles.read(file(name));
    }

    /// Upper left red, upper right green, lower left blue, lower right white.
    static void assertScene(String name, RgbImage picture, int tolerance) {
        assertEquals(WIDTH, picture.width(), name + " width");
        assertEquals(HEIGHT, picture.height(), name + " height");
        assertPixel(name, picture, 4, 4, 0xE61E1E, tolerance);
        assertPixel(name, picture, 20, 4, 0x1EC828, tolerance);
        assertPixel(name, picture, 4, 12, 0x1E28DC, tolerance);
        assertPixel(name, picture, 20, 12, 0xFAFAFA, tolerance);
    }

    static void assertPixel(String name, RgbImage picture, int x, int y, int rgb, int tolerance) {
        int found = picture.argb()[y * picture.width() + x];
        for (int shift = 0; shift <= 16; shift += 8) {
            if (Math.abs((found >> shift & 0xFF) - (rgb >> shift & 0xFF)) > tolerance) {
                fail("%s at %d,%d: expected %06x within %d, found %08x".formatted(name, x, y, rgb, tolerance, found));
            }
        }
    }
}

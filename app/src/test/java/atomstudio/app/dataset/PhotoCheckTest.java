package atomstudio.app.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PhotoCheckTest {
    private static List<RgbImage> images(Path folder) throws IOException, Failure {
        List<RgbImage> images = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(ImageFiles::hasImageExtension).sorted().toList())
                images.add(ImageFiles.read(file));
        }
        return images;
    }

    private static List<PhotoCheck> checks(List<RgbImage> images) {
        return images.stream().map(PhotoCheck::of).toList();
    }

    private static RgbImage enlarged(RgbImage image, int factor) {
        return image.resize(image.width() / factor, image.height() / factor).resize(image.width(), image.height());
    }

    @ParameterizedTest @ValueSource(strings = {"car", "owl", "cat", "clock", "teapot"})
    void illustrationsAreSharpAndDistinct(String subject) throws Exception {
        List<PhotoCheck> checks = checks(images(Shared.root().resolve("assets/subjects").resolve(subject)));
        assertTrue(checks.size() >= 4);
        for (PhotoCheck check : checks) {
            assertFalse(check.isBlurred(), check.toString());
            assertEquals(1, checks.stream().filter(check::isDuplicateOf).count());
        }
        assertFalse(PhotoCheck.arePhotographs(checks));
    }

    @ParameterizedTest @ValueSource(strings = {"dog3", "robot_toy"})
    void photographsAreRecognized(String subject) throws Exception {
        List<RgbImage> photos = images(Shared.file("data/photos/" + subject));
        List<PhotoCheck> checks = checks(photos);
        assertTrue(PhotoCheck.arePhotographs(checks));
        for (RgbImage photo : photos) {
            assertFalse(PhotoCheck.of(photo).isBlurred());
            assertTrue(PhotoCheck.of(enlarged(photo, 12)).isBlurred(), PhotoCheck.of(enlarged(photo, 12)).toString());
        }
    }

    @Test
    void resizedPhotoIsADuplicate() throws Exception {
        for (RgbImage image : images(Shared.root().resolve("assets/subjects/owl")))
            assertTrue(PhotoCheck.of(image).isDuplicateOf(PhotoCheck.of(enlarged(image, 2))));
    }

    @Test
    void smallerThanTheModelDrawsIsTooSmall() {
        PhotoCheck check = PhotoCheck.of(RgbImage.filled(400, 127, 0x8844AA));
        assertTrue(check.isTooSmall(128));
        assertFalse(check.isTooSmall(127));
    }
}

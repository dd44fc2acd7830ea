package atomstudio.app.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.json.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdapterSideFilesTest {
    @TempDir
    private Path folder;
    private Path previews;
    private Path adapter;

    @BeforeEach
    void files() throws Exception {
        previews = Files.createDirectory(folder.resolve("previews"));
        adapter = Files.writeString(folder.resolve("car.v2.safetensors"), "x");
    }

    private void preview(String name, int color) throws Exception {
        PngWriter.write(previews.resolve(name), RgbImage.filled(4, 4, color), Map.of());
    }

    @Test
    void newestPreviewAndTriggerWordsAreBesideTheFile() throws Exception {
        preview("000050.png", 1);
        preview("000100.png", 2);
        preview("000120-asked-1.png", 3);
        AdapterSideFiles.write(previews, "sks car", adapter);
        assertEquals(RgbImage.filled(4, 4, 2), ImageFiles.read(folder.resolve("car.v2.preview.png")));
        Json json = Json.read(folder.resolve("car.v2.json"));
        assertEquals("sks car", json.string("activation text"));
        assertEquals(1, json.number("preferred weight"));
    }

    @Test
    void thumbnailIsASmallJpegOfTheNewestPreview() throws Exception {
        assertEquals(Optional.empty(), AdapterSideFiles.thumbnail(previews));
        preview("000050.png", 0xFF0000);
        PngWriter.write(previews.resolve("000100.png"), RgbImage.filled(512, 384, 0x00FF00), Map.of());
        String prefix = "data:image/jpeg;base64,", url = AdapterSideFiles.thumbnail(previews).orElseThrow();
        assertEquals(prefix, url.substring(0, prefix.length()));
        RgbImage image = ImageFiles.read(Files.write(folder.resolve("thumbnail.jpg"),
                Base64.getDecoder().decode(url.substring(prefix.length()))));
        assertEquals(List.of(256, 192), List.of(image.width(), image.height()));
        assertEquals(0x00F000, image.argb()[0] & 0xF0F0F0);
    }

    /// A1111's `find_preview` takes the first of `NAME.EXT` and `NAME.preview.EXT`, ComfyUI's model manager all images
    /// with these names; both take the name up to its last dot.
    @Test
    void modelManagersFindThePreview() throws Exception {
        preview("000050.png", 1);
        for (String name : List.of("car.v2.safetensors", "käfer (rot) [1].safetensors", "a.b.c.safetensors")) {
            Path file = Files.writeString(folder.resolve(name), "x");
            AdapterSideFiles.write(previews, "sks car", file);
            String path = file.toString().substring(0, file.toString().lastIndexOf('.'));
            Optional<String> found = Stream.of("png", "jpg", "jpeg", "webp", "gif")
                    .flatMap(extension -> Stream.of(path + "." + extension, path + ".preview." + extension))
                    .filter(each -> Files.isRegularFile(Path.of(each)))
                    .findFirst();
            assertEquals(RgbImage.filled(4, 4, 1), ImageFiles.read(Path.of(found.orElseThrow())), name);
            assertEquals("sks car", Json.read(Path.of(path + ".json")).string("activation text"), name);
        }
    }

    @Test
    void existingFilesStay() throws Exception {
        preview("000050.png", 1);
        Files.writeString(folder.resolve("car.v2.json"), "{\"notes\": \"mine\"}");
        AdapterSideFiles.write(previews, "sks car", adapter);
        assertEquals("mine", Json.read(folder.resolve("car.v2.json")).string("notes"));
    }

    @Test
    void withoutAPreviewAndBesideAFolderThereAreNone() throws Exception {
        AdapterSideFiles.write(previews, "sks car", adapter);
        preview("000050.png", 1);
        AdapterSideFiles.write(previews, "sks car", Files.createDirectory(folder.resolve("car-peft")));
        assertFalse(Files.exists(folder.resolve("car.v2.json")));
        assertFalse(Files.exists(folder.resolve("car-peft.json")));
    }
}

package atomstudio.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PngWriterTest {
    @TempDir
    Path folder;

    private static RgbImage noise(int alpha) {
        return new RgbImage(31, 17, new Random(3).ints(31 * 17).map(pixel -> pixel | alpha << 24).toArray());
    }

    @Test
    void writtenImagesReadBackUnchanged() throws Failure {
        for (int alpha : new int[] {0xFF, 0}) {
            Path file = folder.resolve("noise-" + alpha + ".png");
            PngWriter.write(file, noise(alpha), Map.of());
            assertEquals(noise(alpha), ImageFiles.read(file));
        }
    }

    @Test
    void writtenTextsReadBackUnchanged() throws Failure {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("parameters", "a café,\nNegative prompt: naïve");
        texts.put("Title", "雪の中の車 ❄ – “snow”");
        texts.put("Empty", "");
        Path file = folder.resolve("text.png");
        PngWriter.write(file, noise(0xFF), texts);
        assertEquals(texts, PngText.read(file));
        assertEquals(List.copyOf(texts.keySet()), List.copyOf(PngText.read(file).keySet()));
        assertEquals(noise(0xFF), ImageFiles.read(file));
    }

    @Test
    void latin1TextsAreTextChunksAndOthersInternational() throws Failure, IOException {
        Path file = folder.resolve("text.png");
        PngWriter.write(file, noise(0xFF), Map.of("parameters", "café"));
        assertTrue(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains("tEXtparameters\0café"));
        PngWriter.write(file, noise(0xFF), Map.of("parameters", "雪"));
        assertTrue(new String(Files.readAllBytes(file), StandardCharsets.UTF_8).contains("iTXtparameters\0\0\0\0\0雪"));
    }

    @Test
    void equalImagesGiveEqualBytesWithoutTemporaryFiles() throws Failure, IOException {
        PngWriter.write(folder.resolve("deep/one.png"), noise(0xFF), Map.of("a", "b"));
        PngWriter.write(folder.resolve("deep/two.png"), noise(0xFF), Map.of("a", "b"));
        assertArrayEquals(Files.readAllBytes(folder.resolve("deep/one.png")),
                Files.readAllBytes(folder.resolve("deep/two.png")));
        try (Stream<Path> files = Files.list(folder.resolve("deep"))) {
            assertEquals(2, files.count());
        }
    }

    @Test
    void failedWriteNamesThePath() throws IOException, Failure {
        Path blocked = Files.writeString(folder.resolve("file"), "old").resolve("picture.png");
        String message = assertThrows(Failure.Unwritable.class, () -> PngWriter.write(blocked, noise(0xFF), Map.of()))
                .getMessage();
        assertTrue(message.contains("picture.png"), message);
        assertEquals("old", Files.readString(folder.resolve("file")));
    }

    @Test
    void rejectsInvalidKeywords() {
        assertThrows(IllegalArgumentException.class,
                () -> PngWriter.write(folder.resolve("x.png"), noise(0xFF), Map.of("雪", "snow")));
    }

    @Test
    void rejectsOtherFiles() throws IOException {
        Path file = Files.writeString(folder.resolve("x.png"), "no PNG");
        assertThrows(Failure.Unreadable.class, () -> PngText.read(file));
    }
}

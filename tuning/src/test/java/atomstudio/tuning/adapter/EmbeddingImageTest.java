package atomstudio.tuning.adapter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Embeddings in images (goldens/embedding-image/make.py).
class EmbeddingImageTest {
    private static final Path FOLDER = Path.of("src/test/resources/goldens/embedding-image");
    /// Bytes up to the end of the IHDR chunk.
    private static final int HEAD = 33;
    @TempDir
    Path folder;

    private static EmbeddingFile embedding(Path file) throws Failure {
        List<AdapterSource.NamedAdapter> found = AdapterSource.read(file);
        assertEquals(1, found.size());
        return assertInstanceOf(EmbeddingFile.class, found.getFirst().source());
    }

    @ParameterizedTest @ValueSource(strings = {"text.png", "hidden.png", "hidden.webp"})
    void readsTextAndHiddenEmbeddings(String name) throws Exception {
        EmbeddingFile embedding = embedding(FOLDER.resolve(name));
        assertEquals("two words", embedding.word());
        try (SafetensorsFile golden = SafetensorsFile.open(FOLDER.resolve("rows.safetensors"))) {
            assertEquals(golden.read("rows"), embedding.rows());
        }
    }

    @Test
    void readsTheSampleEmbedding() throws Exception {
        EmbeddingFile embedding = embedding(Shared.file("cases/embedding-in-a-png/blob.png"));
        assertEquals("blob", embedding.word());
        assertEquals(2, embedding.rows().shape().rank());
    }

    /// An image with this text in A1111's text chunk.
    private Path imageWith(String json) throws Exception {
        byte[] image = Files.readAllBytes(FOLDER.resolve("hidden.png"));
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        text.writeBytes("tEXtsd-ti-embedding\0".getBytes(StandardCharsets.ISO_8859_1));
        text.writeBytes(Base64.getEncoder().encode(json.getBytes(StandardCharsets.UTF_8)));
        CRC32 crc = new CRC32();
        crc.update(text.toByteArray());
        ByteBuffer file = ByteBuffer.allocate(image.length + text.size() + 8).put(image, 0, HEAD);
        file.putInt(text.size() - 4)
                .put(text.toByteArray())
                .putInt((int) crc.getValue())
                .put(image, HEAD, image.length - HEAD);
        return Files.write(folder.resolve("word.png"), file.array());
    }

    @Test
    void wordDefaultsToTheFileName() throws Exception {
        EmbeddingFile embedding = embedding(
                imageWith("{\"string_to_param\":{\"*\":{\"TORCHTENSOR\":[1,2.5]}},\"name\":null}"));
        assertEquals("word", embedding.word());
        assertEquals(Shape.of(1, 2), embedding.rows().shape());
    }

    @ParameterizedTest @ValueSource(strings = {"", "[]", "{}", "{\"string_to_param\":3}",
            "{\"string_to_param\":{\"*\":{\"TORCHTENSOR\":[[1,2],[3]]}}}",
            "{\"string_to_param\":{\"*\":{\"TORCHTENSOR\":[]}}}",
            "{\"string_to_param\":{\"*\":{\"TORCHTENSOR\":[[\"x\"]]}}}",
            "{\"string_to_param\":{\"*\":{\"TORCHTENSOR\":[[1e99]]}}}",
            "{\"string_to_param\":{\"*\":{\"TORCHTENSOR\":[[1"})
    void rejectsDamagedEmbeddingsNamingTheFile(String json) throws Exception {
        Path file = imageWith(json);
        String message = assertThrows(Failure.Unreadable.class, () -> AdapterSource.read(file)).getMessage();
        assertTrue(message.startsWith(file + ": "), message);
    }

    /// The text chunk has its own checksum and may be intact in a truncated file.
    @ParameterizedTest @ValueSource(strings = {"text.png", "hidden.png", "hidden.webp"})
    void readsOrRejectsTruncatedImages(String name) throws Exception {
        byte[] bytes = Files.readAllBytes(FOLDER.resolve(name));
        EmbeddingFile expected = embedding(FOLDER.resolve(name));
        int rejected = 0;
        for (int length = 16; length < bytes.length - 20; length += 97) {
            Path file = Files.write(folder.resolve("truncated-" + name), Arrays.copyOf(bytes, length));
            try {
                assertEquals(expected, embedding(file), length + " bytes");
            } catch (Failure e) {
                rejected++;
            }
        }
        assertTrue(rejected > 10, rejected + " rejected");
    }
}

package atomstudio.tuning.adapter;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.PromptEncoder;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.CounterRng;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Textual inversions of other programs.
class EmbeddingFileTest {
    private static final Path GOLDENS = Shared.own("goldens/prompts");
    @TempDir
    Path folder;

    private static EmbeddingFile embedding(Path file) throws Failure {
        return assertInstanceOf(EmbeddingFile.class, AdapterSource.read(file).getFirst().source());
    }

    private static Tensor rows() throws Failure {
        try (SafetensorsFile golden = SafetensorsFile.open(GOLDENS.resolve("sd1.safetensors"))) {
            return golden.read("rows");
        }
    }

    private Path file(String name, Map<String, Tensor> tensors) throws Failure {
        SafetensorsWriter.write(folder.resolve(name), tensors, Map.of());
        return folder.resolve(name);
    }

    @ParameterizedTest @CsvSource({"sks.pt,sks", "first-sks.pt,first-sks", "learned_embeds.bin,sks"})
    void readsFilesOfOtherPrograms(String name, String word) throws Exception {
        EmbeddingFile embedding = embedding(GOLDENS.resolve(name));
        assertEquals(word, embedding.word());
        assertEquals(rows(), embedding.rows());
    }

    @Test
    void wordIsTheTensorKeyOrTheFileName() throws Exception {
        Tensor row = rows().rows(0, 1);
        assertEquals("by bad artist -neg",
                embedding(file("by bad artist -neg.safetensors", Map.of("emb_params", row))).word());
        EmbeddingFile one = embedding(
                file("learned_embeds.safetensors", Map.of("<cat-toy>", row.reshape(Shape.of(24)))));
        assertEquals("<cat-toy>", one.word());
        assertEquals(row, one.rows(), "a vector is one row");
    }

    @Test
    void promptEmbeddingsMatchTheReferenceAtEveryWeight() throws Exception {
        DiffusionModel model = model();
        try (SafetensorsFile golden = SafetensorsFile.open(GOLDENS.resolve("sd1.safetensors"));
                Engine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            PromptEncoder encoder = PromptEncoder.of(model, engine.textEncoder());
            List<WeightedAdapter> adapters = List
                    .of(new WeightedAdapter(embedding(GOLDENS.resolve("sks.pt")).toAdapter("sks", model), 1));
            int compared = 0, k = 0;
            for (JsonElement each : JsonParser.parseString(golden.metadata().get("cases")).getAsJsonArray()) {
                JsonObject one = each.getAsJsonObject();
                String text = one.get("prompt").getAsString();
                if (one.has("word")) {
                    assertClose(text, golden.read("context." + k),
                            encoder.encode(new PromptPair(text, text), 1, adapters).prompt(), 1e-4);
                    compared++;
                }
                k++;
            }
            assertEquals(3, compared);
        }
    }

    @Test
    void findsNamesOfSeveralWordsInPrompts() throws Exception {
        DiffusionModel model = model();
        EmbeddingFile embedding = embedding(file("by bad -neg.safetensors", Map.of("emb_params", rows())));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            int[] ids = PromptEncoder.of(model, engine.textEncoder())
                    .tokenizer(List.of(new WeightedAdapter(embedding.toAdapter("x", model), 1)))
                    .encode("a By bad -neg");
            int next = model.textEncoder().vocabularySize();
            assertEquals(List.of(next, next + 1, next + 2), List.of(ids[2], ids[3], ids[4]));
        }
    }

    @Test
    void rejectsEmbeddingsOfOtherModels() throws Exception {
        DiffusionModel model = model();
        Path wide = file("wide.safetensors", Map.of("emb_params", Tensor.zeros(Shape.of(2, 768))));
        assertRejected(() -> embedding(wide).toAdapter("wide", model), "768 elements per row", "24");
        Path xl = file("xl.safetensors",
                Map.of("clip_g", Tensor.zeros(Shape.of(2, 1280)), "clip_l", Tensor.zeros(Shape.of(2, 768))));
        assertRejected(() -> AdapterSource.read(xl), "Stable Diffusion XL");
        Path many = file("many.safetensors", Map.of("emb_params", Tensor.zeros(Shape.of(76, 24))));
        assertRejected(() -> embedding(many).toAdapter("many", model), "76 rows", "75");
        Path others = file("others.safetensors",
                Map.of("a.weight", Tensor.zeros(Shape.of(2, 2)), "b.weight", Tensor.zeros(Shape.of(2, 2))));
        assertRejected(() -> AdapterSource.read(others), "another program");
        Path hollow = file("hollow.safetensors", Map.of("emb_params", Tensor.filled(Shape.of(1, 24), Float.NaN)));
        assertRejected(() -> AdapterSource.read(hollow), "NaN");
        assertRejected(() -> AdapterSource.read(folder.resolve("nothing.pt")), "nothing.pt");
        Files.write(folder.resolve("bad.pt"), new byte[] {'P', 'K', 3, 4, 0});
        assertRejected(() -> AdapterSource.read(folder.resolve("bad.pt")), "bad.pt");
    }

    private static void assertRejected(Executable reading, String... parts) {
        String message = assertThrows(Failure.class, reading).getMessage();
        for (String part : parts) assertTrue(message.contains(part), message);
    }

    @Test
    void attachmentUsesHalfPrecisionIfItIsTooLarge() throws Exception {
        for (int rows : new int[] {4, 10}) {
            EmbeddingFile embedding = new EmbeddingFile("toy", random(rows), "00");
            byte[] attachment = embedding.toAttachment().orElseThrow();
            assertTrue(attachment.length <= AdapterSource.MAX_ATTACHMENT_BYTES);
            try (SafetensorsFile file = SafetensorsFile.of(Path.of("image"), attachment)) {
                assertEquals(rows == 4 ? DType.F32 : DType.F16, file.info("toy").dtype());
                assertClose("rows", embedding.rows(), EmbeddingFile.of(file, "x").rows(), rows == 4 ? 0 : 1e-3);
            }
        }
        assertEquals(Optional.empty(), new EmbeddingFile("toy", random(20), "00").toAttachment());
    }

    private static Tensor random(int rows) {
        return new Tensor(Shape.of(rows, 768), new CounterRng(1, "rows").normals(rows * 768));
    }

    @Test
    void tokenHasOneIdPerRow() throws Exception {
        assertEquals(Optional.of(new Adapter.EmbeddingToken("sks", 3)),
                embedding(GOLDENS.resolve("learned_embeds.bin")).toAdapter("any", model()).embeddingToken());
    }

    @Test
    void rejectsEmbeddingsWithoutRowsOrWord() throws Exception {
        Path file = folder.resolve("zero.safetensors");
        for (Shape shape : List.of(Shape.of(0, 16), Shape.of(4, 0), Shape.of(0))) {
            SafetensorsWriter.write(file, Map.of("emb_params", Tensor.zeros(shape)), Map.of());
            String rejected = assertThrows(Failure.Unreadable.class, () -> AdapterSource.read(file)).getMessage();
            assertTrue(rejected.startsWith(file + ": expected at least one row"), rejected);
        }
        SafetensorsWriter.write(file, Map.of(" ", Tensor.zeros(Shape.of(1, 16))), Map.of());
        assertTrue(assertThrows(Failure.Unreadable.class, () -> AdapterSource.read(file)).getMessage()
                .contains("a tensor without a name"));
    }

    private DiffusionModel model() throws Exception {
        Path modelFolder = folder.resolve("model");
        if (!Files.exists(modelFolder)) {
            TinyModel.make(modelFolder, "sd1");
            for (String file : List.of("vocab.json", "merges.txt"))
                Files.copy(Shared.own("goldens/tokenizer/plain/" + file), modelFolder.resolve("tokenizer/" + file),
                        StandardCopyOption.REPLACE_EXISTING);
        }
        return DiffusionModel.open(modelFolder);
    }
}

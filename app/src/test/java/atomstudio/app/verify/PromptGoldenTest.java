package atomstudio.app.verify;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.PromptEncoder;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Emphasis, chunks and clip skip against the reference's text encoder.
class PromptGoldenTest {
    private static final int CASES = 16;
    @TempDir
    private Path folder;

    @Test
    void builtInModelsEmbeddingsMatchTheReference() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        try (SafetensorsFile golden = SafetensorsFile.open(Shared.own("goldens/prompts/default-model.safetensors"));
                Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            agrees(golden, model, engine);
            int[] ids = model.tokenizer().encodePadded("a red car in the snow").ids();
            Tensor plain = engine.textEncoder().encode(new int[][] {ids}, 1, List.of());
            assertEquals(plain,
                    PromptEncoder.of(model, engine.textEncoder())
                            .encode(new PromptPair("a red car in the snow", ""), 1, List.of())
                            .prompt(),
                    "bit-identical without emphasis");
        }
    }

    @Test
    void embeddingsMatchTheReferenceAtClipsLength() throws Exception {
        DiffusionModel model = sd1();
        try (SafetensorsFile golden = SafetensorsFile.open(Shared.own("goldens/prompts/sd1.safetensors"));
                Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            agrees(golden, model, engine);
        }
    }

    /// The reference calls the UNet once per prompt; here both are one batch.
    @Test
    void repeatingPromptsToACommonLengthKeepsTheOutput() throws Exception {
        DiffusionModel model = sd1();
        try (SafetensorsFile golden = SafetensorsFile.open(Shared.own("goldens/prompts/sd1.safetensors"));
                Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            List<String> prompts = prompts(golden);
            PromptEncoder.PromptEmbeddings embeddings = PromptEncoder.of(model, engine.textEncoder())
                    .encode(new PromptPair(prompts.get(12), prompts.get(8)), 1, List.of());
            assertTrue(golden.info("context.12").shape().size(1) != golden.info("context.8").shape().size(1),
                    "different lengths");
            assertEquals(embeddings.prompt().shape(), embeddings.negative().shape());
            Tensor latents = golden.read("unet.latents");
            Tensor both = engine.noisePredictor()
                    .predict(Tensor.concatenate(latents, latents), new float[] {500, 500},
                            Conditioning.of(Tensor.concatenate(embeddings.prompt(), embeddings.negative())), List.of());
            assertClose("prompt", golden.read("unet.prompt"), both.rows(0, 1), 1e-4);
            assertClose("negative", golden.read("unet.negative"), both.rows(1, 2), 1e-4);
        }
    }

    @Test
    void rejectsSkippingMoreBlocksThanThereAre() throws Exception {
        DiffusionModel model = sd1();
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            PromptEncoder encoder = PromptEncoder.of(model, engine.textEncoder());
            for (int clipSkip : new int[] {0, model.textEncoder().transformer().depth() + 1}) {
                String message = assertThrows(Failure.Incompatible.class,
                        () -> encoder.encode(new PromptPair("a", ""), clipSkip, List.of())).getMessage();
                assertTrue(message.contains("1 to " + model.textEncoder().transformer().depth()), message);
            }
        }
    }

    private static void agrees(SafetensorsFile golden, DiffusionModel model, Engine engine) throws Exception {
        List<Deviation> deviations = PromptGolden.compare(golden, model, engine.textEncoder());
        assertEquals(CASES, deviations.size());
        for (Deviation deviation : deviations) assertTrue(deviation.isWithinTolerance(), deviation.toString());
    }

    private static List<String> prompts(SafetensorsFile golden) {
        return JsonParser.parseString(golden.metadata().get("cases"))
                .getAsJsonArray()
                .asList()
                .stream()
                .map(each -> each.getAsJsonObject().get("prompt").getAsString())
                .toList();
    }

    /// The small model with a small tokenizer of CLIP's length.
    private DiffusionModel sd1() throws Exception {
        copy(Shared.own("goldens/nets/sd1/model"), folder);
        copy(Shared.own("goldens/tokenizer/plain"), folder.resolve("tokenizer"));
        Files.writeString(folder.resolve("tokenizer/tokenizer_config.json"), "{\"model_max_length\": 77}");
        return DiffusionModel.open(folder);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) Files.createDirectories(target);
                else Files.copy(file, target);
            }
        }
    }
}

package atomstudio.tuning.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClipMetricsTest {
    private static final RgbImage RED = RgbImage.filled(40, 40, 0xC02020);
    private static final RgbImage BLUE = RgbImage.filled(50, 40, 0x2030C0);

    @TempDir
    Path temporary;

    @Test
    void aPictureIsMostLikeItself() throws Exception {
        DiffusionModel model = DiffusionModel.open(ClipTestModels.EMBEDDED);
        try (OnnxEngine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            ClipMetrics ruler = ClipMetrics.of(model, engine).orElseThrow();
            ClipEmbedding red = ruler.embedImage(RED);
            assertEquals(1, red.cosine(ruler.embedImage(RED)), 1e-6);
            assertTrue(red.cosine(ruler.embedImage(BLUE)) < 0.999);
            Optional<ClipEmbedding> prompt = ruler.embedPrompt("a car");
            assertEquals(red.unitVector().length, prompt.orElseThrow().unitVector().length);
            assertEquals(1, prompt.get().cosine(ruler.embedPrompt("a [(cat:1.4)|(car:1.2)]").orElseThrow()), 1e-6,
                    "its words, as it ends");
            ClipScores measures = ruler.measure(List.of(red),
                    List.of(new ClipScores.PromptSamples(List.of(red, ruler.embedImage(BLUE)), prompt)));
            assertEquals("image_encoder of " + model.name(), measures.encoder());
            assertTrue(measures.likeness().isPresent() && measures.diversity().isPresent()
                    && measures.alignment().isPresent());
        }
    }

    @Test
    void aSafetyCheckersTowerMeasuresLikenessAndDiversityOnly() throws Exception {
        DiffusionModel model = DiffusionModel.open(ClipTestModels.withSafetyChecker(temporary));
        try (OnnxEngine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            ClipMetrics ruler = ClipMetrics.of(model, engine).orElseThrow();
            assertEquals(Optional.empty(), ruler.embedPrompt("a car"));
            assertEquals(1,
                    ruler.measure(ruler.embedImages(List.of(RED)), List.of(
                            new ClipScores.PromptSamples(ruler.embedImages(List.of(RED)), ruler.embedPrompt("a car"))))
                            .likeness()
                            .orElseThrow(),
                    1e-6);
            assertEquals("safety_checker of " + model.name(), ruler.encoderName());
        }
    }

    @Test
    void aModelWithoutATowerHasNoRuler() throws Exception {
        DiffusionModel model = DiffusionModel.open(ClipTestModels.without(temporary));
        try (OnnxEngine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            assertTrue(ClipMetrics.of(model, engine).isEmpty());
        }
    }

    @Test
    void aDamagedTowerIsRefusedByName() throws Exception {
        ClipTestModels.copy(ClipTestModels.MODEL, temporary);
        Files.delete(temporary.resolve("image_encoder/model.safetensors"));
        DiffusionModel model = DiffusionModel.open(temporary);
        try (OnnxEngine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            Failure refused = assertThrows(Failure.Unreadable.class, () -> ClipMetrics.of(model, engine));
            assertTrue(refused.getMessage().contains("image_encoder"), refused.getMessage());
        }
    }
}

package atomstudio.tuning.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
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
    void imageHasCosineOneWithItself() throws Exception {
        DiffusionModel model = DiffusionModel.open(ClipTestModels.EMBEDDED);
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            ClipMetrics metrics = ClipMetrics.of(model, engine).orElseThrow();
            ClipEmbedding red = metrics.embedImage(RED);
            assertEquals(1, red.cosine(metrics.embedImage(RED)), 1e-6);
            assertTrue(red.cosine(metrics.embedImage(BLUE)) < 0.999);
            Optional<ClipEmbedding> prompt = metrics.embedPrompt("a car");
            assertEquals(red.unitVector().length, prompt.orElseThrow().unitVector().length);
            assertEquals(1, prompt.get().cosine(metrics.embedPrompt("a [(cat:1.4)|(car:1.2)]").orElseThrow()), 1e-6,
                    "without emphasis, at the end of the prompt schedule");
            ClipScores scores = metrics.measure(List.of(red),
                    List.of(new ClipScores.PromptSamples(List.of(red, metrics.embedImage(BLUE)), prompt)));
            assertEquals("image_encoder of " + model.name(), scores.encoder());
            assertTrue(scores.likeness().isPresent() && scores.diversity().isPresent()
                    && scores.alignment().isPresent());
        }
    }

    @Test
    void safetyCheckerGivesNoAlignment() throws Exception {
        DiffusionModel model = DiffusionModel.open(ClipTestModels.withSafetyChecker(temporary));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            ClipMetrics metrics = ClipMetrics.of(model, engine).orElseThrow();
            assertEquals(Optional.empty(), metrics.embedPrompt("a car"));
            assertEquals(1,
                    metrics.measure(metrics.embedImages(List.of(RED)), List.of(
                            new ClipScores.PromptSamples(metrics.embedImages(List.of(RED)),
                                    metrics.embedPrompt("a car"))))
                            .likeness()
                            .orElseThrow(),
                    1e-6);
            assertEquals("safety_checker of " + model.name(), metrics.encoderName());
        }
    }

    @Test
    void modelWithoutImageEncoderHasNoMetrics() throws Exception {
        DiffusionModel model = DiffusionModel.open(ClipTestModels.without(temporary));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            assertTrue(ClipMetrics.of(model, engine).isEmpty());
        }
    }

    @Test
    void damagedImageEncoderIsRejectedByName() throws Exception {
        ClipTestModels.copy(ClipTestModels.MODEL, temporary);
        Files.delete(temporary.resolve("image_encoder/model.safetensors"));
        DiffusionModel model = DiffusionModel.open(temporary);
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            Failure rejected = assertThrows(Failure.Unreadable.class, () -> ClipMetrics.of(model, engine));
            assertTrue(rejected.getMessage().contains("image_encoder"), rejected.getMessage());
        }
    }
}

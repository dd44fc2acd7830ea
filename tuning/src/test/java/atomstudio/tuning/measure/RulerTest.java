package atomstudio.tuning.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.picture.RgbImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RulerTest {
    private static final RgbImage RED = RgbImage.filled(40, 40, 0xC02020);
    private static final RgbImage BLUE = RgbImage.filled(50, 40, 0x2030C0);

    @TempDir Path temporary;

    @Test void aPictureIsMostLikeItself() throws Exception {
        DiffusionModel model = DiffusionModel.open(ClipTestModels.EMBEDDED);
        try (OnnxEngine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            Ruler ruler = Ruler.of(model, engine).orElseThrow();
            Embedding red = ruler.picture(RED);
            assertEquals(1, red.cosine(ruler.picture(RED)), 1e-6);
            assertTrue(red.cosine(ruler.picture(BLUE)) < 0.999);
            Optional<Embedding> prompt = ruler.prompt("a car");
            assertEquals(red.direction().length, prompt.orElseThrow().direction().length);
            assertEquals(1, prompt.get().cosine(ruler.prompt("a [(cat:1.4)|(car:1.2)]").orElseThrow()), 1e-6, "its words, as it ends");
            Measures measures = ruler.measure(List.of(red), List.of(new Samples(List.of(red, ruler.picture(BLUE)), prompt)));
            assertEquals("image_encoder of " + model.name(), measures.encoder());
            assertTrue(measures.likeness().isPresent() && measures.diversity().isPresent() && measures.alignment().isPresent());
        }
    }

    @Test void aSafetyCheckersTowerMeasuresLikenessAndDiversityOnly() throws Exception {
        DiffusionModel model = DiffusionModel.open(ClipTestModels.withSafetyChecker(temporary));
        try (OnnxEngine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            Ruler ruler = Ruler.of(model, engine).orElseThrow();
            assertEquals(Optional.empty(), ruler.prompt("a car"));
            assertEquals(1, ruler.measure(ruler.pictures(List.of(RED)), List.of(new Samples(ruler.pictures(List.of(RED)), ruler.prompt("a car")))).likeness().orElseThrow(), 1e-6);
            assertEquals("safety_checker of " + model.name(), ruler.encoder());
        }
    }

    @Test void aModelWithoutATowerHasNoRuler() throws Exception {
        DiffusionModel model = DiffusionModel.open(ClipTestModels.without(temporary));
        try (OnnxEngine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            assertTrue(Ruler.of(model, engine).isEmpty());
        }
    }

    @Test void aDamagedTowerIsRefusedByName() throws Exception {
        ClipTestModels.copy(ClipTestModels.MODEL, temporary);
        Files.delete(temporary.resolve("image_encoder/model.safetensors"));
        DiffusionModel model = DiffusionModel.open(temporary);
        try (OnnxEngine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            Failure refused = assertThrows(Failure.Unreadable.class, () -> Ruler.of(model, engine));
            assertTrue(refused.getMessage().contains("image_encoder"), refused.getMessage());
        }
    }
}

package atomstudio.diffusion.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxClipEncodersTest {
    @TempDir
    Path temporary;

    @Test
    void imageEmbeddingDoesNotDependOnTheBatch() throws Exception {
        try (SafetensorsFile golden = SafetensorsFile.open(ClipTestModels.FOLDER.resolve("golden.safetensors"));
                Engine engine = open(ClipTestModels.MODEL)) {
            Tensor images = golden.read("vision.pixel_values");
            Tensor all = engine.clipEncoders().orElseThrow().embedImages(images);
            for (int i = 0; i < 3; i++) {
                Tensor alone = engine.clipEncoders().orElseThrow().embedImages(images.rows(i, i + 1));
                for (int k = 0; k < alone.data().length; k++)
                    assertEquals(all.rows(i, i + 1).data()[k], alone.data()[k], 1e-5);
            }
        }
    }

    @Test
    void modelWithoutImageEncoderFailsOnFirstUse() throws Exception {
        try (Engine engine = open(ClipTestModels.without(temporary))) {
            Failure failure = assertThrows(Failure.Incompatible.class,
                    () -> engine.clipEncoders().orElseThrow().embedImages(Tensor.zeros(Shape.of(1, 3, 32, 32))));
            assertTrue(failure.getMessage().contains("no image encoder"), failure.getMessage());
        }
    }

    @Test
    void damagedImageEncoderFailsOnFirstUse() throws Exception {
        ClipTestModels.copy(ClipTestModels.MODEL, temporary);
        Path weights = temporary.resolve("image_encoder/model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(bytes, bytes.length / 2));
        try (Engine engine = open(temporary)) {
            assertEquals(Shape.of(1, 16, 24), engine.textEncoder().encode(new int[1][16], 1, List.of()).shape(),
                    "everything else works");
            Failure failure = assertThrows(Failure.Unreadable.class,
                    () -> engine.clipEncoders().orElseThrow().embedImages(Tensor.zeros(Shape.of(1, 3, 32, 32))));
            assertTrue(failure.getMessage().contains("image_encoder"), failure.getMessage());
        }
    }

    private static Engine open(Path model) throws Failure {
        return OnnxEngine.open(DiffusionModel.open(model), Device.CPU, 1);
    }
}

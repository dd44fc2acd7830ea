package atomstudio.diffusion.model;

import static atomstudio.diffusion.TensorAssert.assertWithin;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.net.ClipTransformer;
import atomstudio.diffusion.net.ClipVisionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageEncoderTest {
    @TempDir
    Path temporary;

    /// The published CLIP ViT-L/14 of Stable Diffusion 1.5's safety checker.
    @Test
    void countsMatchClipVitL14() {
        ClipVisionModel large = new ClipVisionModel(new ClipVisionModel.Patches(3, 224, 14),
                new ClipTransformer(1024, 4096, 24, 16, ClipTransformer.Activation.QUICK_GELU, 1e-5), 768);
        assertEquals(303_966_208L, Layer.parameterCount(large.layers()));
        assertEquals(392, Layer.tensorCount(large.layers()));
    }

    @Test
    void prefersImageEncoderToSafetyChecker() throws Exception {
        ClipTestModels.copy(ClipTestModels.MODEL, temporary);
        ClipTestModels.copy(ClipTestModels.FOLDER.resolve("safety_checker"), temporary.resolve("safety_checker"));
        ImageEncoder encoder = DiffusionModel.open(temporary).imageEncoder().orElseThrow();
        assertEquals(ImageEncoder.Source.IMAGE_ENCODER, encoder.source());
        assertEquals("image_encoder of " + temporary.getFileName(), encoder.description());
    }

    @Test
    void readsVisionConfigOfSafetyChecker() throws Exception {
        ImageEncoder encoder = DiffusionModel.open(ClipTestModels.withSafetyChecker(temporary))
                .imageEncoder()
                .orElseThrow();
        assertEquals(
                new ClipVisionModel(new ClipVisionModel.Patches(3, 32, 8),
                        new ClipTransformer(16, 24, 1, 2, ClipTransformer.Activation.QUICK_GELU, 1e-5), 12),
                encoder.network());
        try (Checkpoint weights = encoder.file().open()) {
            assertTrue(weights.has("vision_model.embeddings.class_embedding.weight"));
        }
    }

    @Test
    void isEmptyWithoutEncoderAndSafetyChecker() throws Exception {
        assertTrue(DiffusionModel.open(ClipTestModels.without(temporary)).imageEncoder().isEmpty());
    }

    @Test
    void textProjectionIsOptional() throws Exception {
        assertTrue(DiffusionModel.open(atomstudio.diffusion.Shared.own("goldens/nets/sd1/model"))
                .textProjection()
                .isEmpty());
        assertEquals(20, DiffusionModel.open(ClipTestModels.MODEL).textProjection().orElseThrow().projectionDim());
    }

    @Test
    void messageNamesMissingTensor() throws Exception {
        ClipTestModels.copy(ClipTestModels.MODEL, temporary);
        Path config = temporary.resolve("image_encoder/config.json");
        Files.writeString(config,
                Files.readString(config).replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"));
        ImageEncoder encoder = DiffusionModel.open(temporary).imageEncoder().orElseThrow();
        Failure failure = assertThrows(Failure.Incompatible.class, encoder.file()::open);
        assertTrue(failure.getMessage()
                .contains("vision_model.encoder.layers.2.self_attn.q_proj.weight: expected (32,32), found nothing"),
                failure.getMessage());
    }

    @Test
    void rejectsCropSizeOtherThanImageSize() throws Exception {
        ClipTestModels.copy(ClipTestModels.MODEL, temporary);
        Path file = temporary.resolve("feature_extractor/preprocessor_config.json");
        Files.writeString(file,
                Files.readString(file)
                        .replace("\"height\": 32", "\"height\": 24")
                        .replace("\"width\": 32", "\"width\": 24"));
        Failure failure = assertThrows(Failure.Incompatible.class, () -> DiffusionModel.open(temporary).imageEncoder());
        assertTrue(failure.getMessage().contains("crop_size = 24"), failure.getMessage());
    }

    @Test
    void preprocessingMatchesTransformers() throws Exception {
        ImageEncoder.ImageProcessor modelProcessor = DiffusionModel.open(ClipTestModels.MODEL)
                .imageEncoder()
                .orElseThrow()
                .processor();
        ImageEncoder.ImageProcessor defaultProcessor = ImageEncoder.ImageProcessor.read(temporary.resolve("none.json"),
                32);
        try (SafetensorsFile golden = SafetensorsFile.open(ClipTestModels.FOLDER.resolve("preparation.safetensors"))) {
            for (int n = 0; n < 5; n++) {
                RgbImage image = image(golden.read("picture." + n));
                for (String key : new String[] {"pixel_values", "clip"}) {
                    Tensor expected = golden.read("picture." + n + "." + key);
                    Tensor found = (key.equals("clip") ? defaultProcessor : modelProcessor).preprocess(image)
                            .reshape(expected.shape());
                    assertWithin(n + " " + key, expected, found, 2e-6);
                }
            }
        }
    }

    @Test
    void readsOldPreprocessorConfig() throws Exception {
        Path file = temporary.resolve("old.json");
        Files.writeString(file,
                JsonParser.parseString("{'crop_size': 32, 'size': 32, 'resample': 3, 'do_resize': true}").toString());
        assertEquals(ImageEncoder.ImageProcessor.read(temporary.resolve("none.json"), 32),
                ImageEncoder.ImageProcessor.read(file, 32));
    }

    @Test
    void eosPositionIsFirstEosIdOrLargestIdForLegacyConfig() {
        ClipTextModel text = new ClipTextModel(Component.TEXT_ENCODER, 10, 4,
                new ClipTransformer(8, 8, 1, 1, ClipTransformer.Activation.GELU, 1e-5));
        int[][] ids = {{8, 1, 9, 9}, {8, 9, 0, 0}};
        assertArrayEquals(new int[][] {{2}, {5}}, new TextProjection(text, 8, 9).eosPositions(ids));
        assertArrayEquals(new int[][] {{2}, {5}}, new TextProjection(text, 8, 2).eosPositions(ids));
        assertArrayEquals(new int[][] {{1}}, new TextProjection(text, 8, 7).eosPositions(new int[][] {{8, 7, 9, 7}}));
        assertThrows(IllegalArgumentException.class, () -> new TextProjection(text, 8, 7).eosPositions(ids));
    }

    private static RgbImage image(Tensor pixels) {
        int height = (int) pixels.shape().size(0);
        int width = (int) pixels.shape().size(1);
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++) {
            argb[i] = 0xFF000000 | (int) pixels.data()[3 * i] << 16 | (int) pixels.data()[3 * i + 1] << 8
                    | (int) pixels.data()[3 * i + 2];
        }
        return new RgbImage(width, height, argb);
    }
}

package atomstudio.diffusion.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.SafetyChecker;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Compares with diffusers' StableDiffusionSafetyChecker; the golden is from `safety.py`.
class OnnxSafetyCheckerTest {
    private static final String WEIGHTS = "safety_checker/model.safetensors";

    @TempDir
    Path temporary;

    @Test
    void embeddingResultsMatchDiffusers() throws Exception {
        SafetyChecker own = checker(ClipTestModels.withSafetyChecker(temporary));
        try (SafetensorsFile golden = SafetensorsFile.open(ClipTestModels.FOLDER.resolve("safety.safetensors"))) {
            SafetyChecker checker = new SafetyChecker(own.imageEncoder(), concepts(golden, "special_care_embeds"),
                    concepts(golden, "concept_embeds"));
            Tensor embeddings = golden.read("image_embeds");
            Tensor expected = golden.read("unsafe");
            int unsafe = 0;
            for (int i = 0; i < expected.data().length; i++) {
                boolean found = checker.isUnsafe(embeddings.rows(i, i + 1).data());
                assertEquals(expected.data()[i] == 1, found, "embedding " + i);
                unsafe += found ? 1 : 0;
            }
            assertTrue(unsafe > 10 && unsafe < expected.data().length - 10, unsafe + " unsafe");
        }
    }

    @Test
    void imageResultsMatchDiffusers() throws Exception {
        SafetyChecker checker = checker(ClipTestModels.withSafetyChecker(temporary));
        try (SafetensorsFile golden = SafetensorsFile.open(ClipTestModels.FOLDER.resolve("safety.safetensors"));
                SafetensorsFile images = SafetensorsFile
                        .open(ClipTestModels.FOLDER.resolve("safety_checker.safetensors"));
                OnnxSafetyChecker safety = OnnxSafetyChecker.open(checker, Device.CPU, 1)) {
            Tensor pixelValues = images.read("vision.pixel_values");
            for (int i = 0; i < pixelValues.shape().size(0); i++)
                assertEquals(golden.read("tower.unsafe").data()[i] == 1, safety.isUnsafe(pixelValues.rows(i, i + 1)),
                        "image " + i);
        }
    }

    @Test
    void thresholdsDecideWhetherImageIsUnsafe() throws Exception {
        Path model = ClipTestModels.withSafetyChecker(temporary);
        Map<String, Tensor> weights = new HashMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(model.resolve(WEIGHTS))) {
            for (String name : file.tensors().keySet()) weights.put(name, file.read(name));
        }
        weights.put("concept_embeds_weights", Tensor.filled(weights.get("concept_embeds_weights").shape(), 1.1f));
        SafetensorsWriter.write(model.resolve(WEIGHTS), weights, Map.of());
        RgbImage image = new RgbImage(8, 8, new int[64]);
        try (OnnxSafetyChecker safety = OnnxSafetyChecker.open(checker(model), Device.CPU, 1)) {
            assertFalse(safety.isUnsafe(image));
        }
        weights.put("concept_embeds_weights", Tensor.filled(weights.get("concept_embeds_weights").shape(), -1.1f));
        SafetensorsWriter.write(model.resolve(WEIGHTS), weights, Map.of());
        try (OnnxSafetyChecker safety = OnnxSafetyChecker.open(checker(model), Device.CPU, 1)) {
            assertTrue(safety.isUnsafe(image));
        }
        weights.remove("special_care_embeds");
        SafetensorsWriter.write(model.resolve(WEIGHTS), weights, Map.of());
        assertTrue(assertThrows(Failure.Incompatible.class, () -> checker(model)).getMessage()
                .contains("special_care_embeds"));
    }

    @Test
    void modelWithoutSafetyCheckerHasNone() throws Exception {
        assertTrue(DiffusionModel.open(ClipTestModels.MODEL).safetyChecker().isEmpty());
    }

    private static SafetyChecker checker(Path model) throws Failure {
        return DiffusionModel.open(model).safetyChecker().orElseThrow();
    }

    private static SafetyChecker.Concepts concepts(SafetensorsFile golden, String name) {
        return new SafetyChecker.Concepts(golden.read(name), golden.read(name + "_weights"));
    }
}

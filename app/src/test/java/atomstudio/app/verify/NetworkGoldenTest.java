package atomstudio.app.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.onnx.OnnxSettings;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.tuning.torch.TorchEngine;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Every engine's networks match diffusers and transformers, for model folders and single files.
class NetworkGoldenTest {
    enum EngineKind {
        ONNX, ONNX_WITH_MAPPED_WEIGHTS, TORCH;

        Engine open(Path model) throws Failure {
            DiffusionModel opened = DiffusionModel.open(model);
            return switch (this) {
                case ONNX -> OnnxEngine.open(opened, Device.CPU, 2);
                case ONNX_WITH_MAPPED_WEIGHTS -> OnnxEngine.open(opened, Device.CPU, 2,
                        new OnnxSettings(0, OnnxSettings.AdapterMode.FUSED));
                case TORCH -> TorchEngine.open(opened, Device.CPU, TorchSettings.standard()).networks();
            };
        }
    }

    @ParameterizedTest
    @CsvSource({"ONNX, sd1", "ONNX, sd2", "ONNX, inpaint", "ONNX_WITH_MAPPED_WEIGHTS, sd1",
            "ONNX_WITH_MAPPED_WEIGHTS, sd2", "ONNX_WITH_MAPPED_WEIGHTS, inpaint", "TORCH, sd1", "TORCH, sd2",
            "TORCH, inpaint"})
    void networksMatchDiffusers(EngineKind engine, String name) throws Exception {
        Path folder = Shared.own("goldens/nets/" + name);
        check(engine, folder.resolve("model"), folder.resolve("golden.safetensors"), 14);
    }

    @ParameterizedTest @CsvSource({"sd1.ckpt, sd1", "sd2.safetensors, sd2", "inpaint.ckpt, inpaint"})
    void singleFilesMatchDiffusers(String file, String name) throws Exception {
        check(EngineKind.ONNX, Shared.own("goldens/files/" + file),
                Shared.own("goldens/nets/" + name + "/golden.safetensors"), 14);
    }

    @ParameterizedTest @EnumSource
    void clipEncodersMatchTransformers(EngineKind engine) throws Exception {
        check(engine, ClipTestModels.MODEL, ClipTestModels.FOLDER.resolve("golden.safetensors"), 4);
    }

    @ParameterizedTest @EnumSource
    void safetyCheckersImageEncoderMatchesTransformers(EngineKind engine, @TempDir Path folder) throws Exception {
        check(engine, ClipTestModels.withSafetyChecker(folder),
                ClipTestModels.FOLDER.resolve("safety_checker.safetensors"), 1);
    }

    @ParameterizedTest @EnumSource
    void builtInModelsClipEncodersMatchTransformers(EngineKind engine) throws Exception {
        Path golden = ClipTestModels.FOLDER.resolve("default-model.safetensors");
        for (String component : List.of("image_encoder", "text_encoder")) {
            byte[] weights = Files
                    .readAllBytes(ClipTestModels.EMBEDDED.resolve(component).resolve("model.safetensors"));
            String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(weights));
            try (SafetensorsFile file = SafetensorsFile.open(golden)) {
                assumeTrue(hash.equals(file.metadata().get(component)),
                        "skipped: the golden is of another model; diffusion/src/test/python/towers.py makes a new one");
            }
        }
        check(engine, ClipTestModels.EMBEDDED, golden, 4);
    }

    private static void check(EngineKind kind, Path model, Path golden, int tensors) throws Exception {
        try (SafetensorsFile file = SafetensorsFile.open(golden); Engine engine = kind.open(model)) {
            List<Deviation> deviations = NetworkGolden.compare(file, engine, List.of());
            assertEquals(tensors, deviations.size());
            for (Deviation deviation : deviations) assertTrue(deviation.isWithinTolerance(), deviation.toString());
        }
    }
}

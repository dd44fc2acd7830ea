package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.SafetensorsFile;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// CLIP's encoders match the reference with every engine.
public interface ClipEncodersLaw {
    Engine open(Path model) throws Failure;

    @Test
    default void textAndImageEncodersMatchTheReference() throws Exception {
        try (SafetensorsFile golden = SafetensorsFile.open(ClipTestModels.FOLDER.resolve("golden.safetensors"));
                Engine engine = open(ClipTestModels.MODEL)) {
            ClipTestModels.agrees(engine, golden, 4);
        }
    }

    @Test
    default void safetyCheckersImageEncoderMatchesTheReference(@TempDir Path temporary) throws Exception {
        try (SafetensorsFile golden = SafetensorsFile.open(ClipTestModels.FOLDER.resolve("safety_checker.safetensors"));
                Engine engine = open(ClipTestModels.withSafetyChecker(temporary))) {
            ClipTestModels.agrees(engine, golden, 1);
        }
    }

    @Test
    default void builtInModelsEncodersMatchTheReference() throws Exception {
        try (SafetensorsFile golden = SafetensorsFile
                .open(ClipTestModels.FOLDER.resolve("default-model.safetensors"))) {
            assumeTrue(ClipTestModels.ofTheEmbeddedModel(golden),
                    "skipped: the golden is of another model; diffusion/src/test/python/towers.py makes a new one");
            try (Engine engine = open(ClipTestModels.EMBEDDED)) {
                ClipTestModels.agrees(engine, golden, 4);
            }
        }
    }
}

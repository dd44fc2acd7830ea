package atomstudio.app.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Images of the built-in model against the reference pipeline. The goldens belong to the model: `assets/refresh.sh`
/// replaces both.
class ImageGoldenTest {
    private static final Path OWN = Shared.own("goldens/pictures");

    @Test
    void imagesMatchTheReferencePipeline() throws Exception {
        assertEquals(3 * images(OWN), check(OWN, Shared.root().resolve("assets/default-model")));
    }

    /// With the model beside them, which may be newer than the built-in one.
    @Test
    void sharedImagesMatchTheReferencePipeline() throws Exception {
        assertTrue(check(Shared.file("goldens/pictures"), Shared.file("default-model")) > 0);
    }

    private static int check(Path folder, Path modelFolder) throws Exception {
        DiffusionModel model = DiffusionModel.open(modelFolder);
        int compared = 0;
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            for (Path file : goldens(folder)) {
                try (SafetensorsFile golden = SafetensorsFile.open(file)) {
                    List<Deviation> deviations = ImageGolden.compare(golden, model, engine);
                    compared += deviations.size();
                    for (Deviation deviation : deviations)
                        assertTrue(deviation.isWithinTolerance(), file.getFileName() + ": " + deviation);
                }
            }
        }
        return compared;
    }

    private static int images(Path folder) throws Exception {
        int images = 0;
        for (Path file : goldens(folder)) {
            try (SafetensorsFile golden = SafetensorsFile.open(file)) {
                images += (int) golden.info("noise").shape().size(0);
            }
        }
        return images;
    }

    private static List<Path> goldens(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> goldens = files.filter(file -> file.toString().endsWith(".safetensors")).sorted().toList();
            assertFalse(goldens.isEmpty(), folder + " holds no goldens");
            return goldens;
        }
    }
}

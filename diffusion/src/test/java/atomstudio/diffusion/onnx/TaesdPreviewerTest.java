package atomstudio.diffusion.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.NetworkFile;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// Compares with diffusers' AutoencoderTiny; the golden is from the `make.py` beside it.
class TaesdPreviewerTest {
    private static final Path GOLDEN = Shared.own("goldens/taesd");

    @Test
    void decoderMatchesDiffusers() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.own("goldens/nets/sd1/model"));
        try (TaesdPreviewer previewer = TaesdPreviewer
                .open(NetworkFile.taesdDecoder(GOLDEN.resolve("decoder.safetensors"), model), Device.CPU, 1);
                SafetensorsFile golden = SafetensorsFile.open(GOLDEN.resolve("golden.safetensors"))) {
            Deviation deviation = Deviation.relative("decoded", golden.read("decoded"),
                    previewer.decode(golden.read("latents")), 1e-4);
            assertTrue(deviation.isWithinTolerance(), deviation.toString());
            RgbImage image = previewer.preview(golden.read("latents"));
            assertEquals("56x40", image.width() + "x" + image.height());
        }
    }

    @Test
    void rejectsOtherFiles() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.own("goldens/nets/sd1/model"));
        Path other = Shared.own("goldens/nets/sd1/golden.safetensors");
        assertTrue(assertThrows(Failure.Incompatible.class, () -> NetworkFile.taesdDecoder(other, model)).getMessage()
                .contains("is not a decoder for previews"));
    }
}

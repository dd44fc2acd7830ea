package atomstudio.diffusion.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.NetworkGolden;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SingleFileGoldenTest {
    @ParameterizedTest @CsvSource({"sd1.ckpt, sd1", "sd2.safetensors, sd2", "inpaint.ckpt, inpaint"})
    void singleFileCheckpointMatchesDiffusers(String file, String net)
            throws Exception {
        Path golden = Shared.own("goldens/nets/" + net + "/golden.safetensors");
        try (SafetensorsFile expected = SafetensorsFile.open(golden); Engine engine = OnnxEngine
                .open(DiffusionModel.open(Shared.own("goldens/files/" + file)), Device.CPU, 2)) {
            List<Deviation> deviations = NetworkGolden.compare(expected, engine);
            assertEquals(14, deviations.size());
            for (Deviation deviation : deviations) assertTrue(deviation.isWithinTolerance(), deviation.toString());
        }
    }
}

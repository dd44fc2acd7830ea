package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.NetworkGolden;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchEngineTest {
    @ParameterizedTest @ValueSource(strings = {"sd1", "sd2", "inpaint"})
    void networksMatchTheReference(String name) throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.own("goldens/nets/" + name + "/model"));
        try (SafetensorsFile golden = SafetensorsFile.open(Shared.own("goldens/nets/" + name + "/golden.safetensors"));
                Engine engine = TorchEngine.open(model, Device.CPU, TorchSettings.standard()).networks()) {
            List<Deviation> deviations = NetworkGolden.compare(golden, engine);
            assertEquals(14, deviations.size());
            for (Deviation deviation : deviations) assertTrue(deviation.isWithinTolerance(), deviation::toString);
        }
    }
}

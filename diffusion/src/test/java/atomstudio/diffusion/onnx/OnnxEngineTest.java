package atomstudio.diffusion.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.NetworkGolden;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.Safetensors;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OnnxEngineTest {
    @ParameterizedTest @ValueSource(strings = {"sd1", "sd2", "inpaint"})
    void agreesWithTheReferenceOnEveryNetwork(String name) throws Exception {
        agrees(name, OnnxSettings.of(Device.CPU));
    }

    @ParameterizedTest @ValueSource(strings = {"sd1", "sd2", "inpaint"})
    void agreesWithTheReferenceWhereWeightsStayMapped(String name) throws Exception {
        agrees(name, new OnnxSettings(0, OnnxSettings.Adapters.FOLDED));
    }

    private static void agrees(String name, OnnxSettings settings) throws Exception {
        Path folder = Shared.own("goldens/nets/" + name);
        try (Safetensors golden = Safetensors.open(folder.resolve("golden.safetensors"));
                OnnxEngine engine = OnnxEngine.open(ModelFolder.open(folder.resolve("model")), Device.CPU, 2, settings)) {
            List<Deviation> deviations = NetworkGolden.compare(golden, engine);
            assertEquals(14, deviations.size());
            for (Deviation deviation : deviations) assertTrue(deviation.within(), deviation.toString());
        }
    }
}

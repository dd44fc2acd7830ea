package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.Safetensors;
import atomstudio.tuning.torch.TorchSettings;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TuningGoldenTest {
    @ParameterizedTest @ValueSource(strings = {"sd1", "sd2"}) void gradientsAndStepsEqualTheReference(String name) throws Exception {
        try (Safetensors golden = Safetensors.open(Shared.file("goldens/tuning/" + name + ".safetensors"))) {
            ModelFolder model = ModelFolder.open(Shared.file("goldens/" + golden.metadata().get("model")));
            assertTrue(TuningGolden.matches(golden.tensors().keySet()));
            TuningGolden.Comparison comparison = TuningGolden.compare(golden, model, Device.CPU, TorchSettings.standard());
            assertEquals(List.of("overcomplete"), comparison.notBuilt());
            assertTrue(comparison.deviations().size() > 100);
            double worst = 0;
            for (Deviation deviation : comparison.deviations()) {
                assertTrue(deviation.within(), deviation::toString);
                worst = Math.max(worst, deviation.relative());
            }
            System.out.println(name + ": " + comparison.deviations().size() + " tensors, worst " + worst);
        }
    }
}

package atomstudio.app.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.tuning.torch.TorchSettings;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainingGoldenTest {
    @ParameterizedTest @ValueSource(strings = {"sd1", "sd2"})
    void gradientsAndStepsMatchTheReference(String name) throws Exception {
        try (SafetensorsFile golden = SafetensorsFile
                .open(Shared.root().resolve("tuning/src/test/resources/goldens/tuning/" + name + ".safetensors"))) {
            assertTrue(TrainingGolden.matches(golden.tensors().keySet()));
            TrainingGolden.GoldenComparison comparison = TrainingGolden.compare(golden,
                    DiffusionModel.open(Shared.own("goldens/nets/" + name + "/model")), Device.CPU,
                    TorchSettings.standard());
            assertEquals(List.of(), comparison.unsupported());
            Set<String> compared = Set.copyOf(comparison.deviations().stream().map(Deviation::name).toList());
            for (String tensor : golden.tensors().keySet()) {
                boolean input = tensor.contains(".start.")
                        || Set.of("latents", "noise", "timesteps", "encoder_hidden_states").contains(tensor);
                assertEquals(!input, compared.contains(tensor), tensor);
            }
            for (Deviation deviation : comparison.deviations())
                assertTrue(deviation.isWithinTolerance(), deviation::toString);
        }
    }

    @Test
    void recognizesOnlyTrainingGoldens() {
        assertFalse(TrainingGolden.matches(Set.of("unet.sample", "unet.out")));
        assertFalse(TrainingGolden.matches(Set.of("noise", "latents", "pixels")));
    }
}

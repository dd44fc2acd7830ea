package atomstudio.app.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.runtime.Assets;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.setting.Setting;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LayerCostCounterTest {
    private static MethodCost cost(MethodSettings method) throws Exception {
        return new MethodCost.LayerCostCounter().count(model(), List.of(method)).getFirst();
    }

    private static long parameters(MethodSettings method) throws Exception {
        return cost(method).parameterCount();
    }

    private static Path model() throws Exception {
        return Assets.find().defaultModel();
    }

    @Test
    void countsModelLayers() throws Exception {
        List<Layer> layers = DiffusionModel.open(model()).layers(Component.UNET);
        long convolutions = layers.stream().filter(layer -> layer.kernelSize() == 3).count();
        assertEquals(81 * convolutions, parameters(MethodSettings.of(MethodName.ATOMS)));
    }

    @Test
    void settingsChangeCost() throws Exception {
        MethodSettings atoms = MethodSettings.of(MethodName.ATOMS);
        MethodSettings lora = MethodSettings.of(MethodName.LORA);
        assertTrue(parameters(atoms.with(MethodSetting.ATOMS, "3")) < parameters(atoms));
        assertEquals(2 * parameters(lora), parameters(lora.with(MethodSetting.RANK, "8")));
        assertTrue(parameters(atoms.with(MethodSetting.LAYERS, "up")) < parameters(atoms));
        assertTrue(parameters(atoms.with(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES)) > parameters(atoms));
    }

    @Test
    void fileSizeExceedsParameters() throws Exception {
        for (MethodCost cost : new MethodCost.LayerCostCounter().count(model(),
                Stream.of(MethodName.values()).map(MethodSettings::of).toList())) {
            assertEquals("", cost.problem());
            // The file also stores layer names and, for some methods, frozen tables.
            assertTrue(cost.bytes() > 4 * cost.parameterCount(), cost.toString());
        }
    }

    @Test
    void missingLayersAffectOnlyTheirMethod() throws Exception {
        MethodSettings nowhere = MethodSettings.of(MethodName.LORA).with(MethodSetting.LAYERS, "nowhere.*");
        List<MethodCost> costs = new MethodCost.LayerCostCounter().count(model(),
                List.of(nowhere, MethodSettings.of(MethodName.ATOMS)));
        assertTrue(costs.getFirst().problem().startsWith("layers nowhere.*: matches no layer of "),
                costs.getFirst().problem());
        assertEquals("Not available for this model", costs.getFirst().summary());
        assertTrue(costs.getLast().parameterCount() > 0);
    }
}

package atomstudio.app.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.runtime.Assets;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodName;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LayerCostCounterTest {
    private static MethodCost cost(MethodSettings method) throws Exception {
        return new MethodCost.LayerCostCounter().count(model(), List.of(method)).getFirst();
    }

    private static long numbers(MethodSettings method) throws Exception {
        return cost(method).parameterCount();
    }

    private static Path model() throws Exception {
        return Assets.find().defaultModel();
    }

    @Test
    void countsByTheModelsOwnLayers() throws Exception {
        List<Layer> layers = DiffusionModel.open(model()).layers(ModelComponent.UNET);
        long convolutions = layers.stream().filter(layer -> layer.kernelSize() == 3).count();
        assertEquals(81 * convolutions, numbers(MethodSettings.of(MethodName.ATOMS)));
    }

    @Test
    void settingsChangeThePrice() throws Exception {
        MethodSettings atoms = MethodSettings.of(MethodName.ATOMS);
        MethodSettings lora = MethodSettings.of(MethodName.LORA);
        assertTrue(numbers(atoms.with(MethodSetting.ATOMS, "3")) < numbers(atoms));
        assertEquals(2 * numbers(lora), numbers(lora.with(MethodSetting.RANK, "8")));
        assertTrue(numbers(atoms.with(MethodSetting.LAYERS, "up")) < numbers(atoms));
        assertTrue(numbers(atoms.with(MethodSetting.TRAIN_TEXT_ENCODER, MethodSetting.YES)) > numbers(atoms));
    }

    @Test
    void aFileHoldsItsNumbersAndALittleMore() throws Exception {
        for (MethodCost cost : new MethodCost.LayerCostCounter().count(model(),
                Stream.of(MethodName.values()).map(MethodSettings::of).toList())) {
            assertEquals("", cost.problem());
            // What is stored beside the trained numbers: a layer's names, and frozen tables of some methods.
            assertTrue(cost.bytes() > 4 * cost.parameterCount(), cost.toString());
        }
    }

    @Test
    void layersThatTheModelDoesNotHaveAreAProblemOfThatMethodAlone() throws Exception {
        MethodSettings nowhere = MethodSettings.of(MethodName.LORA).with(MethodSetting.LAYERS, "nowhere.*");
        List<MethodCost> costs = new MethodCost.LayerCostCounter().count(model(),
                List.of(nowhere, MethodSettings.of(MethodName.ATOMS)));
        assertTrue(costs.getFirst().problem().startsWith("layers nowhere.*: matches no layer of "),
                costs.getFirst().problem());
        assertEquals("not on this model", costs.getFirst().summary());
        assertTrue(costs.getLast().parameterCount() > 0);
    }
}

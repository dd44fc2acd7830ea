package atomstudio.app.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.Assets;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.method.Setting;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LayerCostCounterTest {
    private static MethodCost cost(MethodSettings method) throws Exception {
        return new LayerCostCounter().count(model(), List.of(method)).getFirst();
    }

    private static long numbers(MethodSettings method) throws Exception {
        return cost(method).parameterCount();
    }

    private static Path model() throws Exception {
        return Assets.find().defaultModel();
    }

    @Test void countsByTheModelsOwnLayers() throws Exception {
        List<Layer> layers = DiffusionModel.open(model()).layers(ModelComponent.UNET);
        long convolutions = layers.stream().filter(layer -> layer.kernelSize() == 3).count();
        assertEquals(81 * convolutions, numbers(MethodSettings.of(Choice.ATOMS)));
    }

    @Test void settingsChangeThePrice() throws Exception {
        MethodSettings atoms = MethodSettings.of(Choice.ATOMS);
        MethodSettings lora = MethodSettings.of(Choice.LORA);
        assertTrue(numbers(atoms.with(Setting.ATOMS, "3")) < numbers(atoms));
        assertEquals(2 * numbers(lora), numbers(lora.with(Setting.RANK, "8")));
        assertTrue(numbers(atoms.with(Setting.LAYERS, "up")) < numbers(atoms));
        assertTrue(numbers(atoms.with(Setting.TEXT_ENCODER, Setting.YES)) > numbers(atoms));
    }

    @Test void aFileHoldsItsNumbersAndALittleMore() throws Exception {
        for (MethodCost cost : new LayerCostCounter().count(model(), Stream.of(Choice.values()).map(MethodSettings::of).toList())) {
            assertEquals("", cost.problem());
            // What is stored beside the trained numbers: a layer's names, and frozen tables of some methods.
            assertTrue(cost.bytes() > 4 * cost.parameterCount(), cost.toString());
        }
    }

    @Test void layersThatTheModelDoesNotHaveAreAProblemOfThatMethodAlone() throws Exception {
        MethodSettings nowhere = MethodSettings.of(Choice.LORA).with(Setting.LAYERS, "nowhere.*");
        List<MethodCost> costs = new LayerCostCounter().count(model(), List.of(nowhere, MethodSettings.of(Choice.ATOMS)));
        assertTrue(costs.getFirst().problem().startsWith("layers nowhere.*: matches nothing in "), costs.getFirst().problem());
        assertEquals("not on this model", costs.getFirst().summary());
        assertTrue(costs.getLast().parameterCount() > 0);
    }
}

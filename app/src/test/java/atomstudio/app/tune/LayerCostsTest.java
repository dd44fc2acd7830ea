package atomstudio.app.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.Assets;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.method.MethodSettings.Choice;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class LayerCostsTest {
    private static long cost(TuneSettings settings, Choice method) throws Exception {
        return costs(settings).stream().filter(cost -> cost.method() == method).findFirst().orElseThrow().numbers();
    }

    private static List<MethodCost> costs(TuneSettings settings) throws Exception {
        return new LayerCosts().of(model(), settings);
    }

    private static Path model() throws Exception {
        return Assets.find().defaultModel();
    }

    @Test void countsByTheModelsOwnLayers() throws Exception {
        List<Layer> layers = ModelFolder.open(model()).layers(Part.UNET);
        long convolutions = layers.stream().filter(layer -> layer.kernel() == 3).count();
        assertEquals(81 * convolutions, cost(TuneSettings.initial(), Choice.ATOMS));
    }

    @Test void fewerAtomsAndAHigherRankChangeTheirOwnMethodsAlone() throws Exception {
        TuneSettings other = TuneSettings.initial().withAtoms(3).withRank(8);
        assertTrue(cost(other, Choice.ATOMS) < cost(TuneSettings.initial(), Choice.ATOMS));
        assertEquals(2 * cost(TuneSettings.initial(), Choice.LORA), cost(other, Choice.LORA));
        assertEquals(cost(TuneSettings.initial(), Choice.CHANNELS), cost(other, Choice.CHANNELS));
    }

    @Test void aFileHoldsItsNumbersAndALittleMore() throws Exception {
        for (MethodCost cost : costs(TuneSettings.initial())) {
            assertTrue(cost.bytes() > 4 * cost.numbers() && cost.bytes() < 4 * cost.numbers() + 40_000, cost.toString());
        }
    }

    @Test void everyMethodIsListedOnce() throws Exception {
        assertEquals(List.of(Choice.values()).toString(), costs(TuneSettings.initial()).stream().map(MethodCost::method).collect(Collectors.toList()).toString());
    }
}

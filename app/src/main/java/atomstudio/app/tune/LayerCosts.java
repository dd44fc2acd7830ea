package atomstudio.app.tune;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.adapter.TunedLayer;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.method.Slot;
import atomstudio.tuning.method.TuningMethod;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Costs by a dry run of the network and the methods' own formulas; the file's size is that of an adapter with nothing but zeros in it.
public final class LayerCosts implements MethodCosts {
    private static final String ANY_HASH = "0".repeat(64);

    @Override public List<MethodCost> of(Path model, TuneSettings settings) throws Failure {
        ModelFolder folder = ModelFolder.open(model);
        List<Layer> layers = folder.layers(Part.UNET);
        List<MethodCost> costs = new ArrayList<>();
        for (Choice choice : Choice.values()) {
            MethodSettings method = MethodSettings.parse(choice.command(), settings.atoms(), settings.rank());
            costs.add(new MethodCost(choice, method.method().numbers(layers), bytes(method, folder.name(), layers)));
        }
        return List.copyOf(costs);
    }

    private static long bytes(MethodSettings settings, String model, List<Layer> layers) {
        TuningMethod method = settings.method();
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : layers) {
            for (Slot slot : method.slots(layer)) values.put(layer.name() + "." + slot.name(), Tensor.zeros(slot.shape()));
        }
        AdapterFile.Training training = new AdapterFile.Training(settings.choice().steps(), settings.choice().rate(), 0);
        return new AdapterFile(settings, new BaseModel(model, ANY_HASH), new Trigger("sks", "thing"), training, TunedLayer.of(method, layers), values).bytes();
    }
}

package atomstudio.app.tune;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodSettings.Choice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Costs by a dry run of the networks and the methods' own formulas.
public final class LayerCosts implements MethodCosts {
    @Override public List<MethodCost> of(Path model, TuneSettings settings) throws Failure {
        ModelFolder folder = ModelFolder.open(model);
        List<Layer> layers = folder.tunable();
        List<MethodCost> costs = new ArrayList<>();
        for (Choice choice : Choice.values()) {
            MethodSettings method = settings.of(choice);
            costs.add(new MethodCost(choice, method.method().numbers(layers), AdapterFile.bytes(method, folder.name(), layers)));
        }
        return List.copyOf(costs);
    }
}

package atomstudio.app.tune;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Path;
import java.util.List;

/// Costs by a dry run of the networks and the methods' own formulas.
public final class LayerCostCounter implements CostCounter {
    @Override public List<MethodCost> count(Path model, List<MethodSettings> methods) throws Failure {
        DiffusionModel folder = DiffusionModel.open(model);
        List<Layer> layers = folder.trainableLayers();
        return methods.stream().map(method -> cost(method, folder.name(), layers)).toList();
    }

    private static MethodCost cost(MethodSettings method, String model, List<Layer> layers) {
        try {
            method.check(model, layers);
        } catch (Failure.Incompatible incompatible) {
            return new MethodCost(method, 0, 0, incompatible.getMessage());
        }
        return new MethodCost(method, method.method().parameterCount(layers), AdapterFile.bytes(method, model, layers), "");
    }
}

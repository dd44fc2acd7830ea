package atomstudio.app.train;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Path;
import java.util.List;

/// The price of a method on a model, before anything is run.
/// @param problem why the model cannot be tuned so; empty where it can
public record MethodCost(MethodSettings method, long parameterCount, long bytes, String problem) {
    /// `2,268 parameters · 11 KB`.
    public String summary() {
        return problem.isEmpty() ? DisplayFormat.count(parameterCount) + " parameters · " + DisplayFormat.bytes(bytes)
                : "not on this model";
    }

    /// Counts what methods would tune on a model, from the model's list of layers alone.
    @FunctionalInterface
    public interface CostCounter {
        /// One cost for each of `methods`, in their order.
        List<MethodCost> count(Path model, List<MethodSettings> methods) throws Failure;
    }

    /// Costs by a dry run of the networks and the methods' own formulas.
    public static final class LayerCostCounter implements CostCounter {
        @Override
        public List<MethodCost> count(Path model, List<MethodSettings> methods) throws Failure {
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
            return new MethodCost(method, method.method().parameterCount(layers),
                    AdapterFile.predictedFileSize(method, model, layers), "");
        }
    }
}

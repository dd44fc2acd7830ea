package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Path;
import java.util.List;

/// Trainable parameters and adapter size of a method on a model.
/// @param bytes size of the adapter file
/// @param problem why the method cannot be used with the model; empty if it can
public record MethodCost(MethodSettings method, long parameterCount, long bytes, String problem) {
    /// `2,268 parameters · 11 KB`.
    public String summary() {
        return problem.isEmpty() ? text("train.cost", parameterCount, DisplayFormat.bytes(bytes))
                : text("train.unavailable");
    }

    /// Counts parameters from the model's list of layers, without loading weights.
    @FunctionalInterface
    public interface CostCounter {
        /// @return one cost per method, in order
        List<MethodCost> count(Path model, List<MethodSettings> methods) throws Failure;
    }

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

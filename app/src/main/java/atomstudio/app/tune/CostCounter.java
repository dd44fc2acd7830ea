package atomstudio.app.tune;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Path;
import java.util.List;

/// Counts what methods would tune on a model, from the model's list of layers alone.
@FunctionalInterface
public interface CostCounter {
    /// One cost for each of `methods`, in their order.
    List<MethodCost> count(Path model, List<MethodSettings> methods) throws Failure;
}

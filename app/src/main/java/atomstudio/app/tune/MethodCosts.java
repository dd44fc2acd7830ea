package atomstudio.app.tune;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.List;

/// Counts what every method would tune on a model, from the model's list of layers alone.
@FunctionalInterface
public interface MethodCosts {
    List<MethodCost> of(Path model, TuneSettings settings) throws Failure;
}

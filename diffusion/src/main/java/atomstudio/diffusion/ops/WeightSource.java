package atomstudio.diffusion.ops;

import java.util.Optional;

/// Source of a network's weights: a checkpoint, a checkpoint with adapters, or only shapes.
@FunctionalInterface
public interface WeightSource<T> {
    /// @throws IllegalStateException if the layer is missing or has another shape
    LayerWeights<T> get(Layer layer);

    /// What adapters add to a layer's output beside its weight and bias; empty if none does.
    default Optional<T> branch(LayerCall<T> call) {
        return Optional.empty();
    }
}

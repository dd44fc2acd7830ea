package atomstudio.diffusion.ops;

/// Source of a network's weights: a checkpoint, a checkpoint with adapters, or only shapes.
@FunctionalInterface
public interface WeightSource<T> {
    /// @throws IllegalStateException if the layer is missing or has another shape
    LayerWeights<T> get(Layer layer);
}

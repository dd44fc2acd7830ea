package atomstudio.diffusion.ops;

/// Where a network's weights come from: a checkpoint, a dry run, or a checkpoint with adapters; the network cannot
/// tell.
@FunctionalInterface
public interface WeightSource<T> {
    /// @throws IllegalStateException when the layer is missing or has another shape
    LayerWeights<T> get(Layer layer);
}

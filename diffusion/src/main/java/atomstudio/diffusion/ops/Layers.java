package atomstudio.diffusion.ops;

/// Where a network's weights come from: a checkpoint, a dry run, or a checkpoint with adapters; the network cannot tell.
@FunctionalInterface
public interface Layers<T> {
    /// @throws IllegalStateException when the layer is missing or has another shape
    Affine<T> get(Layer layer);
}

package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import java.util.Map;
import java.util.Optional;

/// What an adapter does to layers, for any carrier. Networks never see it: it stands between a checkpoint and the
/// network. Equal adaptations make equal graphs, so implementations are records.
public interface Adaptation {
    /// Shapes of the numbers it brings for this layer, by slot name, in order; empty: the layer stays as it is.
    Map<String, Shape> parameterShapes(Layer layer);

    /// Whether it changes this layer's weight, not its bias alone; asked of layers that it has shapes for.
    default boolean changesWeight(Layer layer) {
        return true;
    }

    /// The layer at strength s: base + s · (tuned − base). `strength` has shape (1).
    <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight);

    /// For an adaptation that changes each kernel by its own numbers times a matrix: that matrix at strength s, as in
    /// `LayerWeights`, so that a carrier may mix activations instead of weights. Empty where only `effective` says
    /// what happens.
    default <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        return Optional.empty();
    }

    /// The numbers that an adapter brings for one layer, by slot name.
    @FunctionalInterface
    interface AdapterParameters<T> {
        T get(String name);
    }
}

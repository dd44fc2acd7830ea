package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/// How an adapter changes the weights of layers, on any backend. It is applied between checkpoint and network, so that
/// networks do not depend on it. Equal adaptations give equal graphs, so implementations are records.
public interface Adaptation {
    /// Shapes of the adapter's parameters for a layer by parameter name, in order; empty if the layer is unchanged.
    Map<String, Shape> parameterShapes(Layer layer);

    /// Whether it adds a branch to the layer's output and leaves weight and bias as they are; for layers with
    /// [#parameterShapes].
    default boolean isBranch(Layer layer) {
        return false;
    }

    /// Whether it changes the layer's weight or bias.
    default boolean changes(Layer layer) {
        return !parameterShapes(layer).isEmpty() && !isBranch(layer);
    }

    /// Whether it adds a branch to the layer's output.
    default boolean addsBranch(Layer layer) {
        return !parameterShapes(layer).isEmpty() && isBranch(layer);
    }

    /// Whether it changes the layer's weight and not only its bias; for layers with [#parameterShapes].
    default boolean changesWeight(Layer layer) {
        return true;
    }

    /// The effective layer at adapter weight s, of shape (1): base + s · (trained − base).
    <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight);

    /// The kernel transform of [LayerWeights] at adapter weight s, if the change is of that form: a backend may then
    /// apply it to activations instead of weights. Empty if only [#effective] applies.
    default <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> parameters, T adapterWeight) {
        return Optional.empty();
    }

    /// What is added to the layer's output at adapter weight s, of shape (1); where it [#addsBranch].
    default <T> T branch(Ops<T> ops, LayerCall<T> call, AdapterParameters<T> parameters, T adapterWeight) {
        throw new IllegalStateException(call.layer().name() + ": " + this + " has no branch");
    }

    /// The parameters of a layer that depend on the timesteps of a batch (B), by name: (B, ...), in place of an
    /// adapter's.
    default Map<String, Tensor> atTimesteps(Layer layer, float[] timesteps) {
        return Map.of();
    }

    /// An adapter's parameters for one layer, by parameter name.
    @FunctionalInterface
    interface AdapterParameters<T> {
        T get(String name);
    }
}

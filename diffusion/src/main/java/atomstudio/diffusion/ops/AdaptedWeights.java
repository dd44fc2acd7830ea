package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// A checkpoint's weights with adapters applied. Each adapter's weight difference is computed against the base, and the
/// differences are summed, as branches are; rows that adapters append to an embedding table are concatenated in the
/// adapters' order.
public record AdaptedWeights<T>(Ops<T> ops, WeightSource<T> base, List<BoundAdapter<T>> adapters)
        implements WeightSource<T> {
    /// An adaptation with its parameters for each layer as backend tensors, and the adapter weight of shape (1).
    public record BoundAdapter<T>(Adaptation adaptation, Function<Layer, Adaptation.AdapterParameters<T>> parameters,
            T adapterWeight) {
        T branch(Ops<T> ops, LayerCall<T> call) {
            return adaptation.branch(ops, call, parameters.apply(call.layer()), adapterWeight);
        }

        LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base) {
            return adaptation.effective(ops, layer, base, parameters.apply(layer), adapterWeight);
        }

        /// The same for the only adapter of a layer; the change of a convolution or linear layer is deferred to its
        /// use.
        LayerWeights<T> lazilyEffective(Ops<T> ops, Layer layer, LayerWeights<T> base) {
            if (!layer.isProjection() || !adaptation.changesWeight(layer)) return effective(ops, layer, base);
            Adaptation.AdapterParameters<T> layerParameters = parameters.apply(layer);
            return adaptation.kernelTransform(ops, layer, layerParameters, adapterWeight)
                    .map(transform -> new LayerWeights<>(base.weight(), base.bias(), transform))
                    .orElseGet(() -> new LayerWeights<>(base.weight(), base.bias(), null,
                            () -> adaptation.effective(ops, layer, base, layerParameters, adapterWeight)));
        }
    }

    @Override
    public LayerWeights<T> get(Layer layer) {
        LayerWeights<T> baseLayer = base.get(layer);
        List<BoundAdapter<T>> targeting = adapters.stream()
                .filter(adapter -> adapter.adaptation.changes(layer))
                .toList();
        if (targeting.size() == 1) return targeting.getFirst().lazilyEffective(ops, layer, baseLayer);
        return combined(layer, baseLayer, targeting);
    }

    /// The sum of the adapters' branches, each of the layer's own output.
    @Override
    public Optional<T> branch(LayerCall<T> call) {
        return adapters.stream()
                .filter(adapter -> adapter.adaptation.addsBranch(call.layer()))
                .map(adapter -> adapter.branch(ops, call))
                .reduce(ops::add);
    }

    private LayerWeights<T> combined(Layer layer, LayerWeights<T> baseLayer, List<BoundAdapter<T>> targeting) {
        LayerWeights<T> adapted = null;
        List<BoundAdapter<T>> appending = new ArrayList<>();
        for (BoundAdapter<T> adapter : targeting) {
            if (appends(adapter.adaptation, layer)) {
                appending.add(adapter);
            } else {
                LayerWeights<T> next = adapter.effective(ops, layer, baseLayer);
                adapted = adapted == null ? next : addDelta(adapted, next, baseLayer);
            }
        }
        for (BoundAdapter<T> adapter : appending)
            adapted = adapter.effective(ops, layer, adapted == null ? baseLayer : adapted);
        return adapted == null ? baseLayer : adapted;
    }

    /// Whether the adaptation appends rows to the layer's weight.
    private static boolean appends(Adaptation adaptation, Layer layer) {
        if (layer.kind() != Layer.Kind.EMBEDDING) return false;
        Map<String, Shape> shapes = adaptation.parameterShapes(layer);
        LayerWeights<Shape> adapted = adaptation.effective(new ShapeOps(), layer,
                new LayerWeights<>(layer.weightShape(), null), shapes::get, Shape.of(1));
        return adapted.weight().size(0) > layer.weightShape().size(0);
    }

    private LayerWeights<T> addDelta(LayerWeights<T> sum, LayerWeights<T> next, LayerWeights<T> baseLayer) {
        T weight = ops.add(sum.weight(), subtract(next.weight(), baseLayer.weight()));
        T bias = next.bias();
        if (bias == null) return new LayerWeights<>(weight, sum.bias());
        T delta = baseLayer.bias() == null ? bias : subtract(bias, baseLayer.bias());
        return new LayerWeights<>(weight, sum.bias() == null ? delta : ops.add(sum.bias(), delta));
    }

    private T subtract(T a, T b) {
        return ops.add(a, ops.scale(b, -1));
    }
}

package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A network's weights for sampling: adapters multiplied into the layers that they change, once for all steps, and everything in the
/// precision that is computed in. Each layer is made when first asked for and kept until closed.
final class FoldedLayers implements WeightSource<NDArray>, AutoCloseable {
    private final Torch torch;
    private final TorchWeights base;
    private final Precision precision;
    private final List<WeightedAdapter> adapters;
    private final Map<String, LayerWeights<NDArray>> made = new HashMap<>();
    private final List<NDArray> owned = new ArrayList<>();

    FoldedLayers(Torch torch, TorchWeights base, Precision precision, List<WeightedAdapter> adapters) {
        this.torch = torch;
        this.base = base;
        this.precision = precision;
        this.adapters = List.copyOf(adapters);
    }

    /// Whether these are the weights under these adapters at these strengths.
    boolean under(List<WeightedAdapter> others) {
        if (others.size() != adapters.size()) return false;
        for (int i = 0; i < adapters.size(); i++) {
            if (others.get(i).adapter() != adapters.get(i).adapter() || others.get(i).weight() != adapters.get(i).weight()) return false;
        }
        return true;
    }

    @Override public LayerWeights<NDArray> get(Layer layer) {
        boolean changed = adapters.stream().anyMatch(applied -> !applied.adapter().adaptation().parameterShapes(layer).isEmpty());
        if (!changed && precision == Precision.FP32) return base.get(layer);
        LayerWeights<NDArray> found = made.get(layer.name());
        if (found == null) made.put(layer.name(), found = make(layer));
        return found;
    }

    /// In float32 to the last, then rounded.
    private LayerWeights<NDArray> make(Layer layer) {
        try (NDScope scope = new NDScope()) {
            EagerOps ops = torch.ops();
            WeightSource<NDArray> plain = precision == Precision.FP32 ? base : base::once;
            List<AdaptedWeights.BoundAdapter<NDArray>> bound = new ArrayList<>();
            for (WeightedAdapter applied : adapters) bound.add(bind(applied));
            LayerWeights<NDArray> before = plain.get(layer);
            LayerWeights<NDArray> folded = new AdaptedWeights<>(ops, same -> before, bound).get(layer).materialized(ops);
            return new LayerWeights<>(kept(folded.weight(), before), folded.bias() == null ? null : kept(folded.bias(), before));
        }
    }

    /// What an adapter leaves as it was in float32 stays the base's own.
    private NDArray kept(NDArray array, LayerWeights<NDArray> before) {
        NDArray kept = switch (precision) {
            case FP32 -> array;
            case BF16 -> torch.kernels().half(array);
        };
        if (kept == before.weight() || kept == before.bias()) return kept;
        NDScope.unregister(kept);
        owned.add(kept);
        return kept;
    }

    private AdaptedWeights.BoundAdapter<NDArray> bind(WeightedAdapter applied) {
        Map<String, Tensor> values = applied.adapter().parameters();
        NDArray strength = torch.array(Tensor.filled(Shape.of(1), (float) applied.weight()));
        return new AdaptedWeights.BoundAdapter<>(applied.adapter().adaptation(), layer -> slot -> torch.array(values.get(layer.name() + "." + slot)), strength);
    }

    @Override public void close() {
        owned.forEach(NDArray::close);
        owned.clear();
        made.clear();
    }
}

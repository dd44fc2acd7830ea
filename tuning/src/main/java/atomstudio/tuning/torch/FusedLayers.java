package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerCall;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A network's weights for sampling: adapters are fused into the layers once for all steps, and all weights have the
/// compute precision. Each layer is made on first use and kept until closed.
final class FusedLayers implements WeightSource<NDArray>, AutoCloseable {
    private final Torch torch;
    private final TorchWeights base;
    private final ComputeDtype computeDtype;
    private final List<WeightedAdapter> adapters;
    private final Map<String, LayerWeights<NDArray>> fused = new HashMap<>();
    private final List<NDArray> owned = new ArrayList<>();
    private final NativeHeap heap = new NativeHeap();

    FusedLayers(Torch torch, TorchWeights base, ComputeDtype computeDtype, List<WeightedAdapter> adapters) {
        this.torch = torch;
        this.base = base;
        this.computeDtype = computeDtype;
        this.adapters = List.copyOf(adapters);
    }

    /// Whether these adapters, with their weights, are the fused ones.
    boolean matches(List<WeightedAdapter> others) {
        if (others.size() != adapters.size()) return false;
        for (int i = 0; i < adapters.size(); i++) {
            if (others.get(i).adapter() != adapters.get(i).adapter()
                    || others.get(i).weight() != adapters.get(i).weight())
                return false;
        }
        return true;
    }

    @Override
    public LayerWeights<NDArray> get(Layer layer) {
        heap.trimIfDue(KernelThresholds.MAX_UNUSED_SAMPLING_HEAP_BYTES);
        boolean isAdapted = adapters.stream()
                .anyMatch(weighted -> weighted.adapter().adaptation().changes(layer));
        if (!isAdapted && computeDtype == ComputeDtype.FP32) return base.get(layer);
        LayerWeights<NDArray> fusedLayer = fused.get(layer.name());
        if (fusedLayer == null) fused.put(layer.name(), fusedLayer = fuse(layer));
        return fusedLayer;
    }

    /// Makes bfloat16 weights before the first activations: between these they would leave holes in the heap.
    void makeAll(List<Layer> layers) {
        if (computeDtype == ComputeDtype.FP32) return;
        layers.forEach(this::get);
        heap.trim();
    }

    /// These layers with the adapters' branches, which have no fused form, at the timesteps of a batch.
    WeightSource<NDArray> at(float[] timesteps) {
        return new WeightSource<>() {
            @Override
            public LayerWeights<NDArray> get(Layer layer) {
                return FusedLayers.this.get(layer);
            }

            @Override
            public Optional<NDArray> branch(LayerCall<NDArray> call) {
                return new AdaptedWeights<>(torch.ops(computeDtype), this,
                        adapters.stream()
                                .filter(weighted -> weighted.adapter().adaptation().addsBranch(call.layer()))
                                .map(weighted -> bindBranch(weighted, timesteps))
                                .toList())
                        .branch(call);
            }
        };
    }

    private AdaptedWeights.BoundAdapter<NDArray> bindBranch(WeightedAdapter weighted, float[] timesteps) {
        AdaptedWeights.BoundAdapter<NDArray> bound = bind(weighted);
        return new AdaptedWeights.BoundAdapter<>(bound.adaptation(), layer -> {
            Map<String, Tensor> timed = bound.adaptation().atTimesteps(layer, timesteps);
            return name -> timed.containsKey(name)
                    ? torch.ops(computeDtype).toActivationDtype(torch.array(timed.get(name)))
                    : bound.parameters().apply(layer).get(name);
        }, bound.adapterWeight());
    }

    /// Computed in float32, then rounded.
    private LayerWeights<NDArray> fuse(Layer layer) {
        try (NDScope scope = new NDScope()) {
            EagerOps ops = torch.ops();
            WeightSource<NDArray> baseLayers = computeDtype == ComputeDtype.FP32 ? base : base::loadTemporary;
            List<AdaptedWeights.BoundAdapter<NDArray>> bound = new ArrayList<>();
            for (WeightedAdapter weighted : adapters) bound.add(bind(weighted));
            LayerWeights<NDArray> baseLayer = baseLayers.get(layer);
            LayerWeights<NDArray> fusedLayer = new AdaptedWeights<>(ops, ignored -> baseLayer, bound).get(layer)
                    .materialized(ops);
            return new LayerWeights<>(retain(fusedLayer.weight(), baseLayer),
                    fusedLayer.bias() == null ? null : retain(fusedLayer.bias(), baseLayer));
        }
    }

    /// Arrays that are still the base layer's are not owned.
    private NDArray retain(NDArray array, LayerWeights<NDArray> baseLayer) {
        NDArray converted = switch (computeDtype) {
            case FP32 -> array;
            case BF16 -> inBf16(array);
        };
        if (converted == baseLayer.weight() || converted == baseLayer.bias()) return converted;
        NDScope.unregister(converted);
        owned.add(converted);
        return converted;
    }

    private NDArray inBf16(NDArray array) {
        NDArray converted = torch.kernels().call("to_bf16", array);
        boolean isReordered = torch.device().equals(Device.CPU) && ComputeDtype.hasAmx()
                && KernelThresholds.prefersReordered(DjlShapes.shape(array));
        return isReordered ? torch.bf16Weights().reordered(converted) : converted;
    }

    private AdaptedWeights.BoundAdapter<NDArray> bind(WeightedAdapter weighted) {
        Map<String, Tensor> values = weighted.adapter().parameters();
        NDArray adapterWeight = torch.array(Tensor.filled(Shape.of(1), (float) weighted.weight()));
        return new AdaptedWeights.BoundAdapter<>(weighted.adapter().adaptation(),
                layer -> slot -> torch.array(values.get(layer.name() + "." + slot)), adapterWeight);
    }

    @Override
    public void close() {
        for (NDArray array : owned) {
            torch.bf16Weights().release(array);
            array.close();
        }
        owned.clear();
        fused.clear();
    }
}

package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.TensorInfo;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A network's frozen weights as native arrays, loaded on first use and kept until closed. float32 weights are used
/// from the mapped file without a copy, so the system can drop and reload their pages; other dtypes are converted
/// once.
final class TorchWeights implements WeightSource<NDArray>, AutoCloseable {
    private final Torch torch;
    private final Checkpoint checkpoint;
    private final MergedAdapters merged;
    private final Map<String, LayerWeights<NDArray>> loaded = new HashMap<>();

    /// The weights of the file.
    TorchWeights(Torch torch, Checkpoint checkpoint) {
        this(torch, checkpoint, new MergedAdapters(torch, List.of()));
    }

    /// The weights of the file with adapters merged in; merged layers are kept in memory.
    TorchWeights(Torch torch, Checkpoint checkpoint, MergedAdapters merged) {
        this.torch = torch;
        this.checkpoint = checkpoint;
        this.merged = merged;
    }

    @Override
    public LayerWeights<NDArray> get(Layer layer) {
        LayerWeights<NDArray> weights = loaded.get(layer.name());
        if (weights == null) loaded.put(layer.name(), weights = load(layer));
        return weights;
    }

    private LayerWeights<NDArray> load(Layer layer) {
        LayerWeights<NDArray> weights = loadTemporary(layer);
        return new LayerWeights<>(persistent(weights.weight()),
                weights.bias() == null ? null : persistent(weights.bias()));
    }

    /// A layer's weights in float32 for the current scope only.
    LayerWeights<NDArray> loadTemporary(Layer layer) {
        LayerWeights<NDArray> base = new LayerWeights<>(read(layer.weightKey()),
                layer.hasBias() ? read(layer.biasKey()) : null);
        return merged.targets(layer) ? merged.into(layer, base) : base;
    }

    /// Whether an adapter is merged into the layer.
    boolean isMerged(Layer layer) {
        return merged.targets(layer);
    }

    private NDArray persistent(NDArray array) {
        NDScope.unregister(array); // outlives the current scope
        torch.bf16Weights().markFrozen(array);
        return array;
    }

    private NDArray read(String key) {
        TensorInfo info = checkpoint.info(key);
        return switch (info.dtype()) {
            case F32, F16 -> torch.mapped(checkpoint.bytes(key), info);
            default -> torch.array(checkpoint.read(key));
        };
    }

    @Override
    public void close() {
        for (LayerWeights<NDArray> layer : loaded.values()) {
            close(layer.weight());
            if (layer.bias() != null) close(layer.bias());
        }
        loaded.clear();
    }

    private void close(NDArray array) {
        torch.bf16Weights().release(array);
        array.close();
    }
}

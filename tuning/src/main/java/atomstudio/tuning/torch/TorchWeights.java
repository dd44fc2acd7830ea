package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.engine.PtNDArray;
import atomstudio.diffusion.engine.AvailableMemory;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.TensorInfo;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A network's frozen weights as native arrays, loaded on first use and kept until closed. float32 weights are used
/// from the mapped file without a copy, so the system can drop and reload their pages; other dtypes are converted
/// once, or float16 at each use if memory is short.
final class TorchWeights implements WeightSource<NDArray>, AutoCloseable {
    private final Torch torch;
    private final Checkpoint checkpoint;
    private final MergedAdapters merged;
    private final Map<String, LayerWeights<NDArray>> loaded = new HashMap<>();
    private final Map<String, NDArray> biases = new HashMap<>();
    private final HalfWeights halfWeights;
    /// The layer that was converted last, for the current scope.
    private String convertedName = "";
    private @Nullable LayerWeights<NDArray> converted;

    /// When float16 weights are converted to float32.
    enum HalfWeights {
        ONCE,
        /// For the current scope only: a quarter of the memory of [#ONCE], and the page cache can drop that.
        AT_USE;

        /// Bytes per parameter of a network whose weights are held in float32 and bfloat16, with a training step's
        /// activations.
        private static final long HELD_BYTES_PER_PARAMETER = 8;
        /// The same with bfloat16 copies beside mapped weights.
        private static final long BF16_BYTES_PER_PARAMETER = 4;
        private static final long LARGE_NETWORK_PARAMETERS = 100_000_000;

        /// For a network on this device.
        static HalfWeights of(Device device, List<Layer> layers) {
            long parameters = Layer.parameterCount(layers);
            return device.torchDevice().equals(Device.CPU) && parameters >= LARGE_NETWORK_PARAMETERS
                    && AvailableMemory.bytes() < HELD_BYTES_PER_PARAMETER * parameters ? AT_USE : ONCE;
        }
    }

    /// Whether memory holds bfloat16 copies of a network's layers and a training step. Weights that are converted at
    /// each use have no copies.
    boolean fitsInBf16(List<Layer> layers) {
        return layers.stream().filter(Layer::isProjection).allMatch(this::isConvertedAtUse)
                || AvailableMemory.bytes() >= HalfWeights.BF16_BYTES_PER_PARAMETER * Layer.parameterCount(layers);
    }

    /// The weights of the file.
    TorchWeights(Torch torch, Checkpoint checkpoint) {
        this(torch, checkpoint, new MergedAdapters(torch, List.of()), HalfWeights.ONCE);
    }

    /// The weights of the file with adapters merged in; merged layers are kept in memory.
    TorchWeights(Torch torch, Checkpoint checkpoint, MergedAdapters merged, HalfWeights halfWeights) {
        this.halfWeights = halfWeights;
        this.torch = torch;
        this.checkpoint = checkpoint;
        this.merged = merged;
    }

    @Override
    public LayerWeights<NDArray> get(Layer layer) {
        if (isConvertedAtUse(layer)) return converted(layer);
        LayerWeights<NDArray> weights = loaded.get(layer.name());
        if (weights == null) loaded.put(layer.name(), weights = load(layer));
        return weights;
    }

    private boolean isConvertedAtUse(Layer layer) {
        return halfWeights == HalfWeights.AT_USE && layer.isProjection() && !merged.targets(layer)
                && checkpoint.info(layer.weightKey()).dtype() == DType.F16;
    }

    /// A layer's weight in the current scope, or in one around it that has it already; the bias is kept.
    private LayerWeights<NDArray> converted(Layer layer) {
        LayerWeights<NDArray> last = converted;
        if (last != null && convertedName.equals(layer.name()) && !((PtNDArray) last.weight()).isReleased())
            return last;
        NDArray bias = layer.hasBias() ? biases.computeIfAbsent(layer.name(), _ -> persistent(read(layer.biasKey())))
                : null;
        convertedName = layer.name();
        converted = last = new LayerWeights<>(read(layer.weightKey()), bias);
        return last;
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
        biases.values().forEach(this::close);
        biases.clear();
        converted = null;
    }

    private void close(NDArray array) {
        torch.bf16Weights().release(array);
        array.close();
    }
}

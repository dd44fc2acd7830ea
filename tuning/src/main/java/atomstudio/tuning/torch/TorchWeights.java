package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.tensor.TensorInfo;
import java.util.HashMap;
import java.util.Map;

/// A network's frozen weights as native arrays, each made when first asked for and kept until closed. What the file holds in float32 is used
/// where it is mapped: nothing is copied, and the system may drop and read it again as memory is needed. Other types are widened once.
final class TorchWeights implements Layers<NDArray>, AutoCloseable {
    private final Torch torch;
    private final Checkpoint checkpoint;
    private final Map<String, Affine<NDArray>> loaded = new HashMap<>();

    TorchWeights(Torch torch, Checkpoint checkpoint) {
        this.torch = torch;
        this.checkpoint = checkpoint;
    }

    @Override public Affine<NDArray> get(Layer layer) {
        Affine<NDArray> found = loaded.get(layer.name());
        if (found == null) loaded.put(layer.name(), found = load(layer));
        return found;
    }

    private Affine<NDArray> load(Layer layer) {
        return new Affine<>(kept(layer.weightKey()), layer.biased() ? kept(layer.biasKey()) : null);
    }

    /// A layer's weights in float32 for the current scope alone, where somebody keeps what is made of them.
    Affine<NDArray> once(Layer layer) {
        return new Affine<>(read(layer.weightKey()), layer.biased() ? read(layer.biasKey()) : null);
    }

    private NDArray kept(String key) {
        NDArray array = read(key);
        NDScope.unregister(array);                                      // outlives the scope that first needed it
        torch.halves().frozen(array);
        return array;
    }

    private NDArray read(String key) {
        TensorInfo info = checkpoint.info(key);
        return switch (info.dtype()) {
            case F32, F16 -> torch.mapped(checkpoint.bytes(key), info);
            default -> torch.array(checkpoint.read(key));
        };
    }

    @Override public void close() {
        for (Affine<NDArray> layer : loaded.values()) {
            close(layer.weight());
            if (layer.bias() != null) close(layer.bias());
        }
        loaded.clear();
    }

    private void close(NDArray array) {
        torch.halves().forget(array);
        array.close();
    }
}

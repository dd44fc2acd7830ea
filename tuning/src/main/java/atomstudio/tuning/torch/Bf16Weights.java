package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import java.util.IdentityHashMap;
import java.util.Map;

/// bfloat16 copies of frozen weights, made on first use; weights that are not frozen are converted at every use.
final class Bf16Weights implements AutoCloseable {
    private final TorchKernels kernels;
    private final Map<NDArray, NDArray> copies = new IdentityHashMap<>();

    Bf16Weights(TorchKernels kernels) {
        this.kernels = kernels;
    }

    /// Declares that this array does not change until it is released.
    void markFrozen(NDArray weight) {
        copies.put(weight, weight);
    }

    /// Frees the copy of an array that is about to be closed.
    void release(NDArray weight) {
        NDArray copy = copies.remove(weight);
        if (copy != null && copy != weight) copy.close();
    }

    NDArray get(NDArray weight) {
        NDArray copy = copies.get(weight);
        if (copy == null) return kernels.call("to_bf16", weight);
        if (copy != weight) return copy;
        NDArray converted = kernels.call("to_bf16", weight);
        NDScope.unregister(converted);
        copies.put(weight, converted);
        return converted;
    }

    @Override
    public void close() {
        copies.forEach((weight, copy) -> {
            if (copy != weight) copy.close();
        });
        copies.clear();
    }
}

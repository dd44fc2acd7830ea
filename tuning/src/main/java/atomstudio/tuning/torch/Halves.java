package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import java.util.IdentityHashMap;
import java.util.Map;

/// bfloat16 copies of frozen weights, each made when first asked for; weights that change are converted anew every time.
final class Halves implements AutoCloseable {
    private final Kernels kernels;
    private final Map<NDArray, NDArray> copies = new IdentityHashMap<>();

    Halves(Kernels kernels) {
        this.kernels = kernels;
    }

    /// Tells that this array keeps its numbers until it is forgotten.
    void frozen(NDArray weight) {
        copies.put(weight, weight);
    }

    /// Frees the copy of an array that is about to be closed.
    void forget(NDArray weight) {
        NDArray copy = copies.remove(weight);
        if (copy != null && copy != weight) copy.close();
    }

    NDArray of(NDArray weight) {
        NDArray copy = copies.get(weight);
        if (copy == null) return kernels.half(weight);
        if (copy != weight) return copy;
        NDArray made = kernels.half(weight);
        NDScope.unregister(made);
        copies.put(weight, made);
        return made;
    }

    @Override public void close() {
        copies.forEach((weight, copy) -> {
            if (copy != weight) copy.close();
        });
        copies.clear();
    }
}

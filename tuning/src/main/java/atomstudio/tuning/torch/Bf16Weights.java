package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import java.util.Collections;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/// bfloat16 copies of frozen weights, made on first use; weights that are not frozen are converted at every use.
final class Bf16Weights implements AutoCloseable {
    private final TorchKernels kernels;
    /// The copies of each frozen weight by layout, if it was used.
    private final Map<NDArray, Map<Layout, NDArray>> copies = new IdentityHashMap<>();

    private final Set<NDArray> reordered = Collections.newSetFromMap(new IdentityHashMap<>());

    Bf16Weights(TorchKernels kernels) {
        this.kernels = kernels;
    }

    /// The layout of a kernel in memory: as a convolution takes it, or as in the file.
    private enum Layout { CONVOLUTION, MATRIX }

    /// Declares that this array does not change until it is released.
    void markFrozen(NDArray weight) {
        copies.put(weight, new EnumMap<>(Layout.class));
    }

    /// A bfloat16 kernel in the layout in which oneDNN computes; only for convolutions with a bias and without groups.
    NDArray reordered(NDArray kernel) {
        NDArray copy = kernels.call("reordered_kernel", kernel);
        reordered.add(copy);
        return copy;
    }

    boolean isReordered(NDArray kernel) {
        return reordered.contains(kernel);
    }

    /// Frees the copies of an array that is about to be closed.
    void release(NDArray weight) {
        reordered.remove(weight);
        Map<Layout, NDArray> released = copies.remove(weight);
        if (released != null) released.values().forEach(NDArray::close);
    }

    NDArray get(NDArray weight) {
        return get(weight, Layout.CONVOLUTION);
    }

    /// A kernel (Co, Ci, k, k) that is used as a matrix (Co, Ci·k²).
    NDArray matrix(NDArray kernel) {
        return get(kernel, Layout.MATRIX);
    }

    private NDArray get(NDArray weight, Layout layout) {
        Map<Layout, NDArray> frozen = copies.get(weight);
        NDArray copy = frozen == null ? null : frozen.get(layout);
        if (copy != null) return copy;
        NDArray converted = kernels.call(switch (layout) {
            case CONVOLUTION -> "to_bf16";
            case MATRIX -> "to_contiguous_bf16";
        }, weight);
        if (frozen != null) {
            NDScope.unregister(converted);
            frozen.put(layout, converted);
        }
        return converted;
    }

    @Override
    public void close() {
        copies.values().forEach(each -> each.values().forEach(NDArray::close));
        copies.clear();
    }
}

package atomstudio.tuning.interop;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Collection;
import java.util.Map;
import java.util.TreeSet;

/// A layer's tensors in an adapter's file, by the names that [AdapterTensorKey] gives them.
record LayerTensors(Map<String, Tensor> byName) {
    boolean has(String name) {
        return byName.containsKey(name);
    }

    boolean hasAny(Collection<String> names) {
        return names.stream().anyMatch(byName::containsKey);
    }

    Tensor get(String name) {
        Tensor tensor = byName.get(name);
        if (tensor == null)
            throw new IllegalArgumentException("has " + new TreeSet<>(byName.keySet()) + " and no " + name);
        if (tensor.shape().rank() < 1)
            throw new IllegalArgumentException(name + ": expected a matrix, found one number");
        return tensor;
    }

    Tensor get(String name, Shape shape) {
        return FactorMath.reshape(get(name), shape, name);
    }

    /// α/r, or 1 where a file has no α.
    double scale(long rank) {
        Tensor alpha = byName.get(LayerDelta.ALPHA);
        if (alpha != null && alpha.data().length != 1)
            throw new IllegalArgumentException("alpha: expected one number, found " + alpha.shape());
        return alpha == null ? 1 : alpha.data()[0] / rank;
    }
}

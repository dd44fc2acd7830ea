package atomstudio.tuning.interop;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Collection;
import java.util.Map;
import java.util.TreeSet;

/// A layer's tensors in an adapter file, by [AdapterTensorKey#parameter].
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
            throw new IllegalArgumentException(name + ": expected a matrix, found a scalar");
        return tensor;
    }

    /// @throws IllegalArgumentException if the element count differs from the shape's
    Tensor get(String name, Shape shape) {
        return FactorMath.reshape(get(name), shape, name);
    }

    /// A tensor of one number.
    double number(String name, double absent) {
        Tensor tensor = byName.get(name);
        if (tensor == null) return absent;
        if (tensor.data().length != 1)
            throw new IllegalArgumentException(name + ": expected one number, found " + tensor.shape());
        return tensor.data()[0];
    }

    /// α/r, or 1 if the file has no α.
    double scale(long rank) {
        return number(AdapterKind.ALPHA, rank) / rank;
    }
}

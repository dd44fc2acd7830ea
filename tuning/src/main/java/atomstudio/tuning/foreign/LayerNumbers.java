package atomstudio.tuning.foreign;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Collection;
import java.util.Map;
import java.util.TreeSet;

/// A layer's tensors in an adapter's file, by the names that [TensorName] gives them.
record LayerNumbers(Map<String, Tensor> all) {
    boolean has(String name) {
        return all.containsKey(name);
    }

    boolean any(Collection<String> names) {
        return names.stream().anyMatch(all::containsKey);
    }

    Tensor get(String name) {
        Tensor found = all.get(name);
        if (found == null) throw new IllegalArgumentException("has " + new TreeSet<>(all.keySet()) + " and no " + name);
        if (found.shape().rank() < 1) throw new IllegalArgumentException(name + ": expected a matrix, found one number");
        return found;
    }

    Tensor get(String name, Shape shape) {
        return Folding.as(get(name), shape, name);
    }

    /// α/r, or 1 where a file has no α.
    double scale(long rank) {
        Tensor alpha = all.get(ForeignChange.ALPHA);
        if (alpha != null && alpha.data().length != 1) throw new IllegalArgumentException("alpha: expected one number, found " + alpha.shape());
        return alpha == null ? 1 : alpha.data()[0] / rank;
    }
}

package atomstudio.diffusion.model;

import atomstudio.diffusion.tensor.TensorInfo;
import java.util.List;
import java.util.function.UnaryOperator;

/// From a tensor as a file names it to the ones that a network asks for, as stretches of the same file: none where it is no part of the
/// network, several where a file keeps projections in one.
@FunctionalInterface
public interface KeyMapping {
    List<TensorInfo> map(TensorInfo stored);

    /// Every tensor under one other name.
    static KeyMapping renaming(UnaryOperator<String> name) {
        return stored -> List.of(renamed(stored, name.apply(stored.name())));
    }

    static TensorInfo renamed(TensorInfo stored, String name) {
        return new TensorInfo(name, stored.dtype(), stored.shape(), stored.offset(), stored.byteLength());
    }
}

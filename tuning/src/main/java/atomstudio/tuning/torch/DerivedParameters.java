package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// The derived values of a layout (sparse coding's α), computed once and kept on the device, for gradients and
/// previews. They can be larger than the network's weights.
final class DerivedParameters implements AutoCloseable {
    private final Map<String, NDArray> arrays = new HashMap<>();

    private DerivedParameters() {}

    /// @param frozenValues they are derived from these and the base weights
    /// @throws IllegalArgumentException when the result differs from that of the frozen values' origin
    static DerivedParameters of(ParameterLayout layout, Map<String, Tensor> frozenValues,
            Function<Layer, Tensor> weights, Torch torch) {
        DerivedParameters result = new DerivedParameters();
        try {
            layout.derive(frozenValues, weights, (key, values) -> {
                NDArray array = torch.array(values);
                NDScope.unregister(array);
                result.arrays.put(key, array);
            });
            return result;
        } catch (RuntimeException e) {
            result.close();
            throw e;
        }
    }

    Optional<NDArray> get(String key) {
        return Optional.ofNullable(arrays.get(key));
    }

    long bytes() {
        return arrays.values().stream().mapToLong(array -> Float.BYTES * array.size()).sum();
    }

    @Override
    public void close() {
        arrays.values().forEach(NDArray::close);
        arrays.clear();
    }
}

package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;

/// Trained numbers with the form that says what they do. `hash` names these numbers: hexadecimal SHA-256 of the adapter file's
/// bytes after its header. `values` are keyed `LAYER.SLOT`.
public record Adapter(String name, String hash, Adaptation form, Map<String, Tensor> values) {
    public Adapter {
        values = Map.copyOf(values);
    }
}

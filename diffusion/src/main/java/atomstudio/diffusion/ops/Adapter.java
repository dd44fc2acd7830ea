package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Trained numbers with the form that says what they do. `hash` names these numbers: hexadecimal SHA-256 of the adapter file's
/// bytes after its header. `values` are keyed `LAYER.SLOT`; `placeholder` is there where rows are appended to the text encoder's table.
public record Adapter(String name, String hash, Adaptation form, Map<String, Tensor> values, Optional<Placeholder> placeholder) {
    public Adapter {
        values = Map.copyOf(values);
    }

    /// Without a word of its own.
    public Adapter(String name, String hash, Adaptation form, Map<String, Tensor> values) {
        this(name, hash, form, values, Optional.empty());
    }

    /// Whether it brings numbers for one of these layers.
    public boolean touches(Set<String> layers) {
        return values.keySet().stream().anyMatch(key -> layers.contains(key.substring(0, key.lastIndexOf('.'))));
    }
}

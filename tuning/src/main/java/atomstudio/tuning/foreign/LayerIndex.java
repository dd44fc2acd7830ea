package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Layer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A model's layers by the names that other programs have for them, in all dialects.
public final class LayerIndex {
    private final Map<String, Layer> byName = new HashMap<>();

    /// @param layers of the UNet and the text encoder
    public LayerIndex(List<Layer> layers) {
        for (KeyConvention dialect : KeyConvention.values()) dialect.layersByName(layers).forEach(byName::putIfAbsent);
    }

    /// The layer that is meant, where the model has it.
    /// @param name as the file has it, with the dialect's prefix ([AdapterTensorKey#layer])
    public Optional<Layer> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }
}

package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Layer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A model's layers by the names that other programs have for them, in all dialects.
public final class ForeignLayers {
    private final Map<String, Layer> byName = new HashMap<>();

    /// @param layers of the UNet and the text encoder
    public ForeignLayers(List<Layer> layers) {
        for (Dialect dialect : Dialect.values()) dialect.names(layers).forEach(byName::putIfAbsent);
    }

    /// The layer that is meant, where the model has it.
    /// @param name as the file has it, with the dialect's prefix ([TensorName#layer])
    public Optional<Layer> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }
}

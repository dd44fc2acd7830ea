package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;

/// Trained numbers with the form that says what they do. `values` are keyed `LAYER.SLOT`.
public record Adapter(String name, Adaptation form, Map<String, Tensor> values) {
    public Adapter {
        values = Map.copyOf(values);
    }
}

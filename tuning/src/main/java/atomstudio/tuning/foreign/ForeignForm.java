package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;

/// What an adapter of another program does: each layer has a form of its own, since ranks may differ. Keyed by layers' names.
public record ForeignForm(Map<String, Adaptation> layers) implements Adaptation {
    public ForeignForm {
        layers = Map.copyOf(layers);
    }

    @Override public Map<String, Shape> parameterShapes(Layer layer) {
        Adaptation form = layers.get(layer.name());
        return form == null ? Map.of() : form.parameterShapes(layer);
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        Adaptation form = layers.get(layer.name());
        return form == null ? base : form.effective(ops, layer, base, theta, strength);
    }
}

package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.Map;

/// What an adapter of another program does: each layer has a form of its own, since ranks may differ. Keyed by layers' names.
public record PerLayerAdaptation(Map<String, Adaptation> layers) implements Adaptation {
    public PerLayerAdaptation {
        layers = Map.copyOf(layers);
    }

    @Override public Map<String, Shape> parameterShapes(Layer layer) {
        Adaptation adaptation = layers.get(layer.name());
        return adaptation == null ? Map.of() : adaptation.parameterShapes(layer);
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters, T adapterWeight) {
        Adaptation adaptation = layers.get(layer.name());
        return adaptation == null ? base : adaptation.effective(ops, layer, base, parameters, adapterWeight);
    }
}

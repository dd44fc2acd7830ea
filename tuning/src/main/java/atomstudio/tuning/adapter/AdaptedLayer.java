package atomstudio.tuning.adapter;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.method.TuningMethod;
import java.util.ArrayList;
import java.util.List;

/// A layer that an adapter changes: its name, the shape of its base weight, and the method that changes it (one of
/// several where methods are combined).
public record AdaptedLayer(String name, Shape weight, String method) {
    public Component component() {
        return Component.ofLayerName(name);
    }

    /// Its state-dict key in the component.
    public String path() {
        return component().path(name);
    }

    /// The layer, without a model.
    public Layer layer(Layer.Bias bias) {
        Layer.Kind kind = switch (weight.rank()) {
            case 4 -> Layer.Kind.CONV;
            case 2 -> Layer.Kind.LINEAR;
            default -> Layer.Kind.NORM;
        };
        return new Layer(component(), path(), kind, weight, bias);
    }

    /// The target layers of a method, in the network's order.
    public static List<AdaptedLayer> of(TuningMethod method, List<Layer> layers) {
        List<AdaptedLayer> adapted = new ArrayList<>();
        for (Layer layer : layers)
            if (method.tunes(layer))
                adapted.add(new AdaptedLayer(layer.name(), layer.weightShape(), method.methodFor(layer).name()));
        return List.copyOf(adapted);
    }
}

package atomstudio.diffusion.engine;

import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.ops.Layer;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Which adapters change which network of a model: one that does not reach a network must change neither its graph nor its output.
/// @param unet names of the UNet's layers
/// @param text names of the text encoder's layers
public record Reach(Set<String> unet, Set<String> text) {
    public static Reach of(ModelFolder model) {
        return new Reach(names(model.layers(Part.UNET)), names(model.layers(Part.TEXT)));
    }

    private static Set<String> names(List<Layer> layers) {
        return layers.stream().map(Layer::name).collect(Collectors.toUnmodifiableSet());
    }

    /// Those of the adapters that change the UNet, in their order.
    public List<Applied> onUnet(List<Applied> adapters) {
        return adapters.stream().filter(applied -> applied.adapter().touches(unet)).toList();
    }

    /// Those of the adapters that change the text encoder, in their order, at their weights there.
    public List<Applied> onText(List<Applied> adapters) {
        return adapters.stream().filter(applied -> applied.adapter().touches(text)).map(Applied::onText).toList();
    }
}

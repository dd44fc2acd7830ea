package atomstudio.diffusion.engine;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.ops.Layer;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Which adapters change which network of a model: one that does not reach a network must change neither its graph
/// nor its output.
/// @param unetLayers names of the UNet's layers
/// @param textLayers names of the text encoder's layers
public record AdapterTargets(Set<String> unetLayers, Set<String> textLayers) {
    public static AdapterTargets of(DiffusionModel model) {
        return new AdapterTargets(names(model.layers(ModelComponent.UNET)),
                names(model.layers(ModelComponent.TEXT_ENCODER)));
    }

    private static Set<String> names(List<Layer> layers) {
        return layers.stream().map(Layer::name).collect(Collectors.toUnmodifiableSet());
    }

    /// Those of the adapters that change the UNet, in their order.
    public List<WeightedAdapter> targetingUnet(List<WeightedAdapter> adapters) {
        return adapters.stream().filter(weighted -> weighted.adapter().targets(unetLayers)).toList();
    }

    /// Those of the adapters that change the text encoder, in their order, at their weights there.
    public List<WeightedAdapter> targetingTextEncoder(List<WeightedAdapter> adapters) {
        return adapters.stream()
                .filter(weighted -> weighted.adapter().targets(textLayers))
                .map(WeightedAdapter::forTextEncoder)
                .toList();
    }
}

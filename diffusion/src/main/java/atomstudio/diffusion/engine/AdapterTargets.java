package atomstudio.diffusion.engine;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Which adapters target which network of a model. An adapter without a layer in a network must change neither its
/// graph nor its output.
/// @param unetLayers layer names of the UNet
/// @param textLayers layer names of the text encoder
public record AdapterTargets(Set<String> unetLayers, Set<String> textLayers) {
    public static AdapterTargets of(DiffusionModel model) {
        return new AdapterTargets(names(model.layers(Component.UNET)),
                names(model.layers(Component.TEXT_ENCODER)));
    }

    private static Set<String> names(List<Layer> layers) {
        return layers.stream().map(Layer::name).collect(Collectors.toUnmodifiableSet());
    }

    /// The adapters that target the UNet, in order.
    public List<WeightedAdapter> targetingUnet(List<WeightedAdapter> adapters) {
        return adapters.stream().filter(weighted -> weighted.adapter().targets(unetLayers)).toList();
    }

    /// The adapters that target the text encoder, in order, with their text encoder weights.
    public List<WeightedAdapter> targetingTextEncoder(List<WeightedAdapter> adapters) {
        return adapters.stream()
                .filter(weighted -> weighted.adapter().targets(textLayers))
                .map(WeightedAdapter::forTextEncoder)
                .toList();
    }
}

package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// Adapters merged into the weights of a model, of which some other adapter is trained. Rows that an adapter adds to an
/// embedding table are left out.
record MergedAdapters(Torch torch, List<WeightedAdapter> adapters) {
    MergedAdapters {
        adapters = List.copyOf(adapters);
    }

    boolean targets(Layer layer) {
        return layer.kind() != Layer.Kind.EMBEDDING
                && adapters.stream().anyMatch(each -> each.adapter().adaptation().changes(layer));
    }

    /// @throws Failure.Incompatible that names an adapter with branches beside layers, which no weight can hold
    static void requireMergeable(List<WeightedAdapter> adapters, List<Layer> layers) throws Failure.Incompatible {
        for (WeightedAdapter each : adapters) {
            Adapter adapter = each.adapter();
            Optional<Layer> branch = layers.stream().filter(adapter.adaptation()::addsBranch).findFirst();
            if (branch.isPresent())
                throw new Failure.Incompatible((adapter.name().isEmpty() ? "the adapter" : "adapter " + adapter.name())
                        + ": expected changes of weights, found a branch beside " + branch.get().name()
                        + ": it can neither be merged into the model nor written as weight differences or LoRA; "
                        + "export it as atomstudio and use it beside the model");
        }
    }

    /// The merged weights, in the current scope.
    LayerWeights<NDArray> into(Layer layer, LayerWeights<NDArray> base) {
        boolean isText = layer.component().kind() == Component.Kind.TEXT_ENCODER;
        List<AdaptedWeights.BoundAdapter<NDArray>> bound = adapters.stream()
                .map(each -> new AdaptedWeights.BoundAdapter<>(each.adapter().adaptation(),
                        target -> slot -> torch.array(each.adapter().parameters().get(target.name() + "." + slot)),
                        torch.array(Tensor.filled(Shape.of(1),
                                (float) (isText ? each.textWeight() : each.weight())))))
                .toList();
        return new AdaptedWeights<>(torch.ops(), _ -> base, bound).get(layer).materialized(torch.ops());
    }
}

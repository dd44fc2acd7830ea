package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// The weights of a model with adapters applied, and their difference from the base weights: one layer at a time, in
/// float32. Rows that adapters add to an embedding table are not included.
public final class AdapterDeltas implements AutoCloseable {
    private final List<Layer> layers;
    private final List<WeightedAdapter> before;
    private final List<WeightedAdapter> adapters;
    private final Torch torch;
    private final Map<Component, Checkpoint> checkpoints = new HashMap<>();

    private AdapterDeltas(List<Layer> layers, List<WeightedAdapter> before, List<WeightedAdapter> adapters,
            Torch torch) {
        this.layers = layers;
        this.before = before;
        this.adapters = adapters;
        this.torch = torch;
    }

    /// One adapter of weight 1.
    /// @throws Failure.NoDevice when PyTorch cannot be loaded
    public static AdapterDeltas open(DiffusionModel model, Adapter adapter, TorchSettings settings) throws Failure {
        return open(model, List.of(new WeightedAdapter(adapter, 1)), settings);
    }

    /// @throws Failure.NoDevice when PyTorch cannot be loaded
    public static AdapterDeltas open(DiffusionModel model, List<WeightedAdapter> adapters, TorchSettings settings)
            throws Failure {
        return open(model, List.of(), adapters, settings);
    }

    /// @param before merged into the model first: the changes of the others are those of the merged weights
    /// @throws Failure.NoDevice when PyTorch cannot be loaded
    public static AdapterDeltas open(DiffusionModel model, List<WeightedAdapter> before, List<WeightedAdapter> adapters,
            TorchSettings settings) throws Failure {
        for (List<WeightedAdapter> each : List.of(before, adapters))
            MergedAdapters.requireMergeable(each, model.trainableLayers());
        List<Layer> layers = model.trainableLayers()
                .stream()
                .filter(layer -> layer.kind() != Layer.Kind.EMBEDDING && Stream.of(before, adapters)
                        .flatMap(List::stream)
                        .anyMatch(each -> !each.adapter().adaptation().parameterShapes(layer).isEmpty()))
                .toList();
        AdapterDeltas deltas = new AdapterDeltas(layers, List.copyOf(before), List.copyOf(adapters),
                Torch.open(Device.CPU, settings));
        try {
            deltas.checkpoints.putAll(model.openCheckpoints(List.of(Component.UNET, Component.TEXT_ENCODER)));
            return deltas;
        } catch (Failure e) {
            deltas.close();
            throw e;
        }
    }

    /// The adapted layers, in the network's order.
    public List<Layer> layers() {
        return layers;
    }

    /// The base model's weight.
    public Tensor baseWeight(Layer layer) {
        return checkpoints.get(layer.component()).read(layer.weightKey());
    }

    /// The difference of a layer's weight and bias; no bias if it has none or does not change.
    public LayerWeights<Tensor> delta(Layer layer) {
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            LayerWeights<NDArray> base = base(layer);
            LayerWeights<NDArray> adapted = adapted(layer, base);
            NDArray bias = adapted.bias() == base.bias() ? null : adapted.bias();
            if (bias != null && base.bias() != null) bias = bias.sub(base.bias());
            return new LayerWeights<>(torch.tensor(adapted.weight().sub(base.weight())),
                    bias == null ? null : torch.tensor(bias));
        }
    }

    /// The leading singular vectors of a difference as a matrix: outputs by inputs and kernel.
    /// @param weight a layer's, by [#delta]
    public TruncatedSvd svd(Tensor weight, int maxRank) {
        return TruncatedSvd.ofWeight(torch, weight, maxRank);
    }

    /// The adapted weight and bias of a layer; no bias if neither the layer nor an adapter has one.
    public LayerWeights<Tensor> adapted(Layer layer) {
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            LayerWeights<NDArray> adapted = adapted(layer, base(layer));
            NDArray bias = adapted.bias();
            return new LayerWeights<>(torch.tensor(adapted.weight()), bias == null ? null : torch.tensor(bias));
        }
    }

    private LayerWeights<NDArray> base(Layer layer) {
        Checkpoint checkpoint = checkpoints.get(layer.component());
        NDArray bias = layer.hasBias() ? torch.array(checkpoint.read(layer.biasKey())) : null;
        LayerWeights<NDArray> weights = new LayerWeights<>(torch.array(checkpoint.read(layer.weightKey())), bias);
        return before.isEmpty() ? weights : new MergedAdapters(torch, before).into(layer, weights);
    }

    private LayerWeights<NDArray> adapted(Layer layer, LayerWeights<NDArray> base) {
        return new MergedAdapters(torch, adapters).into(layer, base);
    }

    @Override
    public void close() {
        checkpoints.values().forEach(Checkpoint::close);
        torch.close();
    }
}

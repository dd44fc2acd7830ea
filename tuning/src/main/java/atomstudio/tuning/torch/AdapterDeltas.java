package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The weight differences that an adapter of weight 1 makes, one layer at a time, in float32. Rows that it adds to an
/// embedding table are not included.
public final class AdapterDeltas implements AutoCloseable {
    private final List<Layer> layers;
    private final Adapter adapter;
    private final Torch torch;
    private final Map<Component, Checkpoint> checkpoints = new HashMap<>();

    private AdapterDeltas(List<Layer> layers, Adapter adapter, Torch torch) {
        this.layers = layers;
        this.adapter = adapter;
        this.torch = torch;
    }

    /// @throws Failure.NoDevice when PyTorch cannot be loaded
    public static AdapterDeltas open(DiffusionModel model, Adapter adapter, TorchSettings settings) throws Failure {
        List<Layer> layers = model.trainableLayers()
                .stream()
                .filter(layer -> layer.kind() != Layer.Kind.EMBEDDING
                        && !adapter.adaptation().parameterShapes(layer).isEmpty())
                .toList();
        AdapterDeltas deltas = new AdapterDeltas(layers, adapter, Torch.open(Device.CPU, settings));
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

    /// The difference of a layer's weight and bias; no bias if it has none or does not change.
    public LayerWeights<Tensor> delta(Layer layer) {
        Checkpoint checkpoint = checkpoints.get(layer.component());
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            NDArray bias = layer.hasBias() ? torch.array(checkpoint.read(layer.biasKey())) : null;
            LayerWeights<NDArray> base = new LayerWeights<>(torch.array(checkpoint.read(layer.weightKey())), bias);
            NDArray adapterWeight = torch.array(Tensor.filled(Shape.of(1), 1));
            LayerWeights<NDArray> adapted = adapter.adaptation()
                    .effective(torch.ops(), layer, base,
                            slot -> torch.array(adapter.parameters().get(layer.name() + "." + slot)), adapterWeight)
                    .materialized(torch.ops());
            return new LayerWeights<>(torch.tensor(adapted.weight().sub(base.weight())), bias(adapted.bias(), bias));
        }
    }

    private @Nullable Tensor bias(@Nullable NDArray adapted, @Nullable NDArray base) {
        if (adapted == null || adapted == base) return null;
        return torch.tensor(base == null ? adapted : adapted.sub(base));
    }

    @Override
    public void close() {
        checkpoints.values().forEach(Checkpoint::close);
        torch.close();
    }
}

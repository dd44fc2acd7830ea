package atomstudio.tuning.torch;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The difference of the weights of two models with the same layers, one layer at a time, in float32.
public final class ModelDifference implements AutoCloseable {
    private static final List<Component> COMPONENTS = List.of(Component.UNET, Component.TEXT_ENCODER);

    private final List<Layer> layers;
    private final Torch torch;
    private final Map<Component, Checkpoint> base = new HashMap<>();
    private final Map<Component, Checkpoint> tuned = new HashMap<>();

    private ModelDifference(List<Layer> layers, Torch torch) {
        this.layers = layers;
        this.torch = torch;
    }

    /// @throws Failure.Incompatible that names the first layers that differ
    public static ModelDifference open(DiffusionModel base, DiffusionModel tuned, TorchSettings settings)
            throws Failure {
        List<Layer> layers = base.trainableLayers(), others = tuned.trainableLayers();
        if (!layers.equals(others)) {
            List<String> different = layers.stream().filter(layer -> !others.contains(layer)).map(Layer::name).toList();
            throw new Failure.Incompatible(tuned.path() + ": expected the layers of " + base.path() + ", "
                    + (different.isEmpty() ? "found more"
                            : different.size() + " differ, such as "
                                    + different.getFirst())
                    + "; choose two models of one architecture");
        }
        ModelDifference difference = new ModelDifference(layers, Torch.open(Device.CPU, settings));
        try {
            difference.base.putAll(base.openCheckpoints(COMPONENTS));
            difference.tuned.putAll(tuned.openCheckpoints(COMPONENTS));
            return difference;
        } catch (Failure e) {
            difference.close();
            throw e;
        }
    }

    /// All layers of UNet and text encoder, in the network's order.
    public List<Layer> layers() {
        return layers;
    }

    public Tensor baseWeight(Layer layer) {
        return base.get(layer.component()).read(layer.weightKey());
    }

    /// @throws Failure.Unreadable if a weight is NaN or infinite
    public Tensor weight(Layer layer) throws Failure.Unreadable {
        return difference(layer, layer.weightKey());
    }

    /// @throws Failure.Unreadable if a bias is NaN or infinite
    public Tensor bias(Layer layer) throws Failure.Unreadable {
        return difference(layer, layer.biasKey());
    }

    private Tensor difference(Layer layer, String key) throws Failure.Unreadable {
        Tensor difference = tuned.get(layer.component())
                .read(key)
                .zip(base.get(layer.component()).read(key), (after, before) -> after - before);
        if (!difference.isFinite())
            throw new Failure.Unreadable(key + ": contains NaN or infinity in one of the models; get it again");
        return difference;
    }

    /// The leading singular vectors of a difference as a matrix: outputs by inputs and kernel.
    public TruncatedSvd svd(Tensor weight, int maxRank) {
        return TruncatedSvd.ofWeight(torch, weight, maxRank);
    }

    @Override
    public void close() {
        base.values().forEach(Checkpoint::close);
        tuned.values().forEach(Checkpoint::close);
        torch.close();
    }
}

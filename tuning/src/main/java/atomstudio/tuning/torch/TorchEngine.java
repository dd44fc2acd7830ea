package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.optimize.Muon;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A model on PyTorch: its networks for an [Engine], and gradients for training. Weights are loaded when a network
/// first runs and kept until released. One thread at a time; owns its native arrays and the mapped weights.
public final class TorchEngine implements AutoCloseable {
    /// The networks whose weights can be released separately.
    public enum Network {
        TEXT(Component.TEXT_ENCODER), UNET(Component.UNET), ENCODER(Component.VAE),
        DECODER(Component.VAE);

        private final Component component;

        Network(Component component) {
            this.component = component;
        }
    }

    private final DiffusionModel model;
    private final Torch torch;
    private final EagerOps ops;
    private final TorchNoisePredictor noisePredictor;
    private final TorchClipEncoders clipEncoders;
    private final Engine networks;
    private final Map<Component, Checkpoint> checkpoints = new HashMap<>();
    private final Map<Network, TorchWeights> weights = new EnumMap<>(Network.class);
    private @Nullable DerivedParameters derived;
    private boolean closed;

    private TorchEngine(DiffusionModel model, Torch torch, Optional<ComputeDtype> samplingDtype) {
        this.model = model;
        this.torch = torch;
        this.ops = torch.ops();
        this.noisePredictor = new TorchNoisePredictor(this, samplingDtype);
        this.clipEncoders = new TorchClipEncoders(this);
        this.networks = new Engine(new TorchTextEncoder(this), noisePredictor, new TorchAutoencoder(this),
                Optional.of(clipEncoders));
    }

    /// For training and its previews.
    /// @throws Failure.Incompatible that lists all missing tensors and those of another shape
    /// @throws Failure.DeviceUnavailable when the device is missing or PyTorch cannot be loaded
    public static TorchEngine open(DiffusionModel model, Device device, TorchSettings settings) throws Failure {
        return open(model, List.of(), device, settings);
    }

    /// For training and its previews, on top of adapters that are merged into the weights.
    /// @throws Failure like `open`
    public static TorchEngine open(DiffusionModel model, List<WeightedAdapter> merged, Device device,
            TorchSettings settings) throws Failure {
        return open(model, merged, device, settings, Optional.empty());
    }

    /// The networks for sampling: adapters are fused into the UNet's weights, and it runs in this precision.
    /// @throws Failure like `open`
    public static Engine openForSampling(DiffusionModel model, Device device, TorchSettings settings,
            ComputeDtype computeDtype) throws Failure {
        return open(model, List.of(), device, settings, Optional.of(computeDtype)).networks();
    }

    private static TorchEngine open(DiffusionModel model, List<WeightedAdapter> merged, Device device,
            TorchSettings settings, Optional<ComputeDtype> samplingDtype) throws Failure {
        MergedAdapters.requireMergeable(merged, merged.isEmpty() ? List.of() : model.trainableLayers());
        TorchEngine engine = new TorchEngine(model, Torch.open(device, settings), samplingDtype);
        try {
            model.requireOneTextEncoder();
            engine.checkpoints.putAll(model.openCheckpoints(model.components().keySet()));
            for (Network network : Network.values())
                engine.weights.put(network, new TorchWeights(engine.torch, engine.checkpoint(network.component),
                        new MergedAdapters(engine.torch, merged), network == Network.UNET
                                ? TorchWeights.HalfWeights.of(device, model.layers(Component.UNET))
                                : TorchWeights.HalfWeights.ONCE));
            return engine;
        } catch (Failure e) {
            engine.close();
            throw e;
        }
    }

    /// The networks; closing one of them closes this.
    public Engine networks() {
        return networks;
    }

    /// @param timesteps of the batch; empty for a network without
    WeightSource<NDArray> adapted(Network network, List<WeightedAdapter> adapters, float... timesteps) {
        List<AdaptedWeights.BoundAdapter<NDArray>> bound = new ArrayList<>();
        for (WeightedAdapter weighted : adapters) bound.add(bind(weighted, timesteps));
        return new AdaptedWeights<>(ops, layers(network), bound);
    }

    private AdaptedWeights.BoundAdapter<NDArray> bind(WeightedAdapter weighted, float[] timesteps) {
        Adapter adapter = weighted.adapter();
        NDArray adapterWeight = torch.array(Tensor.filled(Shape.of(1), (float) weighted.weight()));
        return new AdaptedWeights.BoundAdapter<>(adapter.adaptation(), layer -> {
            Map<String, Tensor> timed = timesteps.length == 0 ? Map.of()
                    : adapter.adaptation().atTimesteps(layer, timesteps);
            return name -> timed.containsKey(name) ? torch.array(timed.get(name))
                    : parameter(adapter.parameters(), layer.name() + "." + name);
        }, adapterWeight);
    }

    private NDArray parameter(Map<String, Tensor> values, String key) {
        Tensor stored = values.get(key);
        return stored == null ? derived(key) : torch.array(stored);
    }

    /// Computes a layout's derived values from its frozen values and the base weights, and keeps them on the device, in
    /// place of another layout's. Gradients and adapters without derived values use them.
    /// @throws IllegalArgumentException when the result differs from that of the frozen values' origin
    public void derive(ParameterLayout layout, Map<String, Tensor> frozenValues) {
        if (derived != null) derived.close();
        derived = null;
        if (!layout.derived().isEmpty()) derived = DerivedParameters.of(layout, frozenValues, this::baseWeight, torch);
    }

    /// Bytes of the derived values.
    public long derivedBytes() {
        return derived == null ? 0 : derived.bytes();
    }

    NDArray derived(String key) {
        return Optional.ofNullable(derived)
                .flatMap(each -> each.get(key))
                .orElseThrow(() -> new IllegalStateException(key + ": neither given nor derived"));
    }

    /// Checks that the model's files are unchanged since they were opened.
    /// @throws Failure.Unreadable if one changed
    void checkFiles() throws Failure.Unreadable {
        for (Checkpoint checkpoint : checkpoints.values()) checkpoint.checkUnchanged();
    }

    void checkFiles(Component component) throws Failure.Unreadable {
        Checkpoint open = checkpoints.get(component);
        if (open != null) open.checkUnchanged();
    }

    /// Frees a network's weights; they are loaded again if it runs again.
    public void release(Network network) {
        layers(network).close();
    }

    /// Whether memory holds a training step in bfloat16; true on a GPU, where it is not known.
    public boolean fitsInBf16() {
        return torch.device().equals(Device.CUDA) || layers(Network.UNET).fitsInBf16(model.layers(Component.UNET));
    }

    /// The training loss with respect to a method's parameters.
    public DenoisingLoss denoisingLoss(DenoisingLossOptions options) {
        return new DenoisingLoss(this, options);
    }

    /// The weight of a layer that is trained on: the base model's, with the merged adapters.
    public Tensor baseWeight(Layer layer) {
        Network network = layer.component().equals(Component.UNET) ? Network.UNET : Network.TEXT;
        if (!layers(network).isMerged(layer)) return checkpoint(layer.component()).read(layer.weightKey());
        try (TorchScope scope = torch.scope(GradMode.OFF)) {
            return torch.tensor(layers(network).loadTemporary(layer).weight());
        }
    }

    /// Threads that one operation may use.
    public int threads() {
        return torch.threads();
    }

    /// For Muon.
    public Muon.Orthogonalization orthogonalization(ComputeDtype computeDtype) {
        return new Torch.NewtonSchulz(torch, computeDtype);
    }

    DiffusionModel model() {
        return model;
    }

    Torch torch() {
        return torch;
    }

    /// The UNet and the text encoder, for a loss.
    TrainedNetworks trainedNetworks() {
        return new TrainedNetworks(torch,
                component -> layers(component.equals(Component.UNET) ? Network.UNET : Network.TEXT), this::derived,
                this::checkFiles);
    }

    TorchWeights layers(Network network) {
        TorchWeights found = weights.get(network);
        if (found == null) throw new IllegalStateException("the engine is closed");
        return found;
    }

    private Checkpoint checkpoint(Component component) {
        Checkpoint found = checkpoints.get(component);
        if (found == null) throw new IllegalStateException("the engine is closed");
        return found;
    }

    Tensor run(String operation, Supplier<NDArray> network) throws Failure {
        checkFiles();
        return TorchFailures.translate(operation, () -> {
            try (TorchScope scope = torch.scope(GradMode.OFF)) {
                return torch.tensor(network.get());
            }
        });
    }

    @Override
    public void close() {
        if (closed) return;
        closed = true;
        noisePredictor.releaseFused();
        if (derived != null) derived.close();
        derived = null;
        weights.values().forEach(TorchWeights::close);
        weights.clear();
        clipEncoders.release();
        torch.close();
        checkpoints.values().forEach(Checkpoint::close);
        checkpoints.clear();
    }
}

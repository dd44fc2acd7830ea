package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.AdapterTargets;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.optimize.Muon;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Runs a model on PyTorch, in float32; for sampling, the UNet also in bfloat16. Weights are loaded when a network
/// first runs and kept until released. One thread at a time; owns its native arrays and the mapped weights.
public final class TorchEngine implements Engine {
    /// The networks whose weights can be released separately.
    public enum Network {
        TEXT(ModelComponent.TEXT_ENCODER), UNET(ModelComponent.UNET), ENCODER(ModelComponent.VAE),
        DECODER(ModelComponent.VAE);

        private final ModelComponent component;

        Network(ModelComponent component) {
            this.component = component;
        }
    }

    private final DiffusionModel model;
    private final Torch torch;
    private final EagerOps ops;
    private final AdapterTargets adapterTargets;
    private final TorchClipEncoders clipEncoders;
    private final Map<ModelComponent, Checkpoint> checkpoints = new EnumMap<>(ModelComponent.class);
    private final Map<Network, TorchWeights> weights = new EnumMap<>(Network.class);
    /// The UNet's precision for sampling with fused adapters; empty: adapters are applied in every call.
    private Optional<ComputeDtype> samplingDtype;
    private @Nullable FusedLayers fused;
    private @Nullable DerivedParameters derived;

    private TorchEngine(DiffusionModel model, Torch torch, Optional<ComputeDtype> samplingDtype) {
        this.model = model;
        this.torch = torch;
        this.samplingDtype = samplingDtype;
        this.ops = torch.ops();
        this.adapterTargets = AdapterTargets.of(model);
        this.clipEncoders = new TorchClipEncoders(model, torch);
    }

    /// For training and its previews.
    /// @throws Failure.Incompatible that lists all missing tensors and those of another shape
    /// @throws Failure.DeviceUnavailable when the device is missing or PyTorch cannot be loaded
    public static TorchEngine open(DiffusionModel model, Device device, TorchSettings settings) throws Failure {
        return open(model, Torch.open(device, settings), Optional.empty());
    }

    /// For sampling: adapters are fused into the UNet's weights, and it runs in this precision.
    /// @throws Failure like `open`
    public static TorchEngine openForSampling(DiffusionModel model, Device device, TorchSettings settings,
            ComputeDtype computeDtype) throws Failure {
        return open(model, Torch.open(device, settings), Optional.of(computeDtype));
    }

    private static TorchEngine open(DiffusionModel model, Torch torch, Optional<ComputeDtype> samplingDtype)
            throws Failure {
        TorchEngine engine = new TorchEngine(model, torch, samplingDtype);
        try {
            for (ModelComponent component : ModelComponent.values())
                engine.checkpoints.put(component, model.openCheckpoint(component));
            for (Network network : Network.values())
                engine.weights.put(network, new TorchWeights(engine.torch, engine.checkpoint(network.component)));
            return engine;
        } catch (Failure e) {
            engine.close();
            throw e;
        }
    }

    @Override
    public Tensor encodeText(int[][] ids, int clipSkip, List<WeightedAdapter> adapters) throws Failure {
        return run("text encoder",
                () -> model.textEncoder()
                        .encode(ops, adapted(Network.TEXT, adapterTargets.targetingTextEncoder(adapters)),
                                torch.array(ids), clipSkip - 1));
    }

    @Override
    public Tensor predictNoise(Tensor latents, float[] timesteps, Tensor context, List<WeightedAdapter> adapters)
            throws Failure {
        ComputeDtype precision = samplingDtype.orElse(ComputeDtype.FP32);
        return run("UNet", () -> {
            WeightSource<NDArray> layers = samplingDtype.isPresent()
                    ? fused(precision, adapterTargets.targetingUnet(adapters))
                    : adapted(Network.UNET, adapterTargets.targetingUnet(adapters));
            EagerOps precisionOps = torch.ops(precision);
            Tensor features = model.unet().timeProjection().embed(timesteps);
            return precisionOps.toFloat32(model.unet()
                    .forward(precisionOps, layers, precisionOps.toActivationDtype(torch.array(latents)),
                            precisionOps.toActivationDtype(torch.array(features)),
                            precisionOps.toActivationDtype(torch.array(context))));
        });
    }

    private FusedLayers fused(ComputeDtype computeDtype, List<WeightedAdapter> adapters) {
        FusedLayers layers = fused;
        if (layers != null && layers.matches(adapters)) return layers;
        if (layers != null) layers.close();
        layers = new FusedLayers(torch, layers(Network.UNET), computeDtype, adapters);
        fused = layers;
        return layers;
    }

    private WeightSource<NDArray> adapted(Network network, List<WeightedAdapter> adapters) {
        List<AdaptedWeights.BoundAdapter<NDArray>> bound = new ArrayList<>();
        for (WeightedAdapter weighted : adapters) bound.add(bind(weighted));
        return new AdaptedWeights<>(ops, layers(network), bound);
    }

    private AdaptedWeights.BoundAdapter<NDArray> bind(WeightedAdapter weighted) {
        Map<String, Tensor> values = weighted.adapter().parameters();
        NDArray adapterWeight = torch.array(Tensor.filled(Shape.of(1), (float) weighted.weight()));
        return new AdaptedWeights.BoundAdapter<>(weighted.adapter().adaptation(),
                layer -> slot -> parameter(values, layer.name() + "." + slot), adapterWeight);
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
        if (!layout.derived().isEmpty()) derived = DerivedParameters.of(layout, frozenValues, this::tensor, torch);
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

    @Override
    public Tensor decode(Tensor latents) throws Failure {
        return run("decoder", () -> model.vae().decode(ops, layers(Network.DECODER), torch.array(latents)));
    }

    @Override
    public Tensor decodeHead(Tensor latents, int levels) throws Failure {
        return run("decoder", () -> model.vae().decodeHead(ops, layers(Network.DECODER), torch.array(latents), levels));
    }

    @Override
    public Tensor decodeTile(Tensor features, int level, List<LayerWeights<Tensor>> norms) throws Failure {
        return run("decoder", () -> {
            List<LayerWeights<NDArray>> groupNorms = norms.stream()
                    .map(norm -> new LayerWeights<>(torch.array(norm.weight()),
                            torch.array(Objects.requireNonNull(norm.bias()))))
                    .toList();
            return model.vae().decodeTile(ops, layers(Network.DECODER), torch.array(features), level, groupNorms);
        });
    }

    @Override
    public LatentDistribution encode(Tensor images) throws Failure {
        return LatentDistribution.ofEncoderOutput(
                run("encoder", () -> model.vae().encode(ops, layers(Network.ENCODER), torch.array(images))));
    }

    @Override
    public Tensor embedImages(Tensor pixels) throws Failure {
        return run("image encoder", clipEncoders.embedImages(pixels));
    }

    @Override
    public Tensor embedText(int[][] ids) throws Failure {
        return run("text encoder", clipEncoders.embedTexts(ids));
    }

    @Override
    public void checkFiles() throws Failure.Unreadable {
        for (Checkpoint checkpoint : checkpoints.values()) checkpoint.checkUnchanged();
    }

    @Override
    public ComputePrecision precision() {
        return samplingDtype.equals(Optional.of(ComputeDtype.BF16)) ? ComputePrecision.HALF : ComputePrecision.FULL;
    }

    @Override
    public void useFullPrecision() {
        if (fused != null) fused.close();
        fused = null;
        samplingDtype = Optional.of(ComputeDtype.FP32);
    }

    /// Frees a network's weights; they are loaded again if it runs again.
    public void release(Network network) {
        layers(network).close();
    }

    /// The training loss with respect to a method's parameters.
    public DenoisingLoss denoisingLoss(DenoisingLossOptions options) {
        return new DenoisingLoss(this, options);
    }

    /// A tensor of the base model's UNet or text encoder.
    public Tensor tensor(String key) {
        return checkpoint(ModelComponent.ofLayer(key)).read(key);
    }

    /// Threads that one operation may use.
    public int threads() {
        return torch.threads();
    }

    /// For Muon.
    public Muon.Orthogonalization orthogonalization() {
        return new Torch.NewtonSchulz(torch);
    }

    DiffusionModel model() {
        return model;
    }

    Torch torch() {
        return torch;
    }

    TorchWeights layers(Network network) {
        TorchWeights found = weights.get(network);
        if (found == null) throw new IllegalStateException("the engine is closed");
        return found;
    }

    private Checkpoint checkpoint(ModelComponent component) {
        Checkpoint found = checkpoints.get(component);
        if (found == null) throw new IllegalStateException("the engine is closed");
        return found;
    }

    private Tensor run(String operation, Supplier<NDArray> network) throws Failure {
        checkFiles();
        return TorchFailures.translate(operation, () -> {
            try (TorchScope scope = torch.scope(GradMode.OFF)) {
                return torch.tensor(network.get());
            }
        });
    }

    @Override
    public void close() {
        if (fused != null) fused.close();
        fused = null;
        if (derived != null) derived.close();
        derived = null;
        weights.values().forEach(TorchWeights::close);
        weights.clear();
        clipEncoders.close();
        torch.close();
        checkpoints.values().forEach(Checkpoint::close);
        checkpoints.clear();
    }
}

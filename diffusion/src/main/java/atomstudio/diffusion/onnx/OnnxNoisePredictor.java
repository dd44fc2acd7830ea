package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.AdapterTargets;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.NoisePredictor;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.Precision;
import atomstudio.diffusion.engine.ReducedPrecision;
import atomstudio.diffusion.engine.SliceableAttention;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.onnx.FusedWeights.ChangedWeights;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.onnx.GraphOptions.AttentionKernel;
import atomstudio.diffusion.onnx.GraphWeights.HalfWeightsMode;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The UNet on ONNX Runtime. Adapter parameters, or the weights with adapters fused in, are graph inputs: adapters of
/// the same form, and adapter weights, change without a new session. Branches have no fused form.
final class OnnxNoisePredictor extends OnnxNetwork implements NoisePredictor, ReducedPrecision, SliceableAttention {
    /// @param adaptations of the adapters whose parameters are inputs
    /// @param changed weights with adapters fused in
    private record UNetKey(Shape latents, Shape context, List<Adaptation> adaptations, ChangedWeights changed) {}

    private final UNet unet;
    private final AdapterTargets targets;
    private final SessionCache<UNetKey> sessions;
    private final AdapterInputs adapterInputs = new AdapterInputs();
    /// Weights as inputs make a large network several times as slow on a provider as compiled ones, while compiling it
    /// again takes as long as a few steps (docs/decisions/providers.md).
    private final boolean compilesAdapters;
    private boolean halfPrecision;
    private boolean slicedAttention;
    /// The adapters that are compiled into the sessions of a large network on an execution provider.
    private List<WeightedAdapter> compiledAdapters = List.of();
    private @Nullable FusedWeights fusedWeights;
    private @Nullable MappedWeightInputs mappedInputs;
    private @Nullable AttentionKernel attentionKernel;

    OnnxNoisePredictor(OnnxModel model, Checkpoint checkpoint) {
        super(model, checkpoint);
        this.unet = model.model().unet();
        this.targets = AdapterTargets.of(model.model());
        this.compilesAdapters = model.runtime().device() instanceof ProviderDevice
                && OnnxSession.SessionWeights.bytes(checkpoint) > model.settings().layoutLimitBytes();
        // A large compiled network is 2 GB beside the file.
        this.sessions = new SessionCache<>(compilesAdapters ? 1 : MAX_SESSIONS, this::build);
        this.halfPrecision = model.settings().unetPrecision() == OnnxSettings.UNetPrecision.FLOAT16;
    }

    @Override
    public Tensor predict(Tensor latents, float[] timesteps, Conditioning conditioning, List<WeightedAdapter> adapters)
            throws Failure {
        Tensor context = conditioning.hiddenStatesOnly();
        List<WeightedAdapter> used = targets.targetingUnet(adapters);
        boolean isFused = model().settings().adapterMode() == OnnxSettings.AdapterMode.FUSED && !used.isEmpty();
        List<WeightedAdapter> fused = isFused ? fusedWeights().where(used, Adaptation::changes) : List.of(),
                live = isFused ? fusedWeights().where(used, Adaptation::addsBranch) : used;
        Set<String> fusedKeys = fused.isEmpty() ? Set.of()
                : fusedWeights().changedKeys(AdapterInputs.adaptations(fused));
        if (compilesAdapters && !FusedWeights.isSame(compiledAdapters, fused)) {
            sessions.close();
            compiledAdapters = List.copyOf(fused);
        }
        List<Adaptation> adaptations = AdapterInputs.adaptations(live);
        OnnxSession session = sessions.get(new UNetKey(latents.shape(), context.shape(),
                isFused ? adaptations.stream().<Adaptation>map(AdapterInputs.Branches::new).toList() : adaptations,
                new ChangedWeights(fusedKeys, compilesAdapters)));
        Map<String, OnnxSession.Feed> feeds = new LinkedHashMap<>();
        feeds.put("latents", OnnxSession.Feed.of(latents));
        feeds.put("time_features", OnnxSession.Feed.of(unet.timeProjection().embed(timesteps)));
        feeds.put("context", OnnxSession.Feed.of(context));
        Map<String, OnnxTensor> persistent = new LinkedHashMap<>(
                mappedInputs().inputs(runtime(), session.inputs(), fusedKeys));
        feeds.putAll(AdapterInputs.weightFeeds(live));
        feeds.putAll(AdapterInputs.timestepFeeds(live, fusedWeights().layers(), timesteps));
        Set<String> parameters = new HashSet<>(session.inputs());
        parameters.removeAll(feeds.keySet());
        persistent.putAll(adapterInputs.persistentInputs(runtime(), live, parameters));
        if (!fusedKeys.isEmpty() && !compilesAdapters) persistent.putAll(fusedWeights().inputs(runtime(), fused));
        try {
            return session.run(feeds, persistent);
        } catch (Failure.OutOfMemory outOfMemory) {
            sessions.close(); // they keep the memory of their largest run, which a smaller batch needs
            throw outOfMemory;
        }
    }

    @Override
    public boolean enableAttentionSlicing() {
        if (slicedAttention || runtime().device() instanceof ProviderDevice) return false;
        slicedAttention = true;
        sessions.close();
        return true;
    }

    @Override
    public boolean useFullPrecision() {
        if (runtime().device() instanceof ProviderDevice device && device.precision() != Precision.FLOAT32) {
            moveTo(runtime().withPrecision(Precision.FLOAT32));
            return true;
        }
        if (!halfPrecision) return false;
        halfPrecision = false;
        attentionKernel = null; // was selected for float16
        sessions.close();
        return true;
    }

    private FusedWeights fusedWeights() {
        FusedWeights found = fusedWeights;
        if (found == null)
            fusedWeights = found = new FusedWeights(model().model().layers(Component.UNET), checkpoint());
        return found;
    }

    private MappedWeightInputs mappedInputs() {
        MappedWeightInputs found = mappedInputs;
        if (found == null) mappedInputs = found = new MappedWeightInputs(checkpoint());
        return found;
    }

    private OnnxSession build(UNetKey key) throws Failure {
        Optional<Path> folder = compilesAdapters && runtime().device() instanceof ProviderDevice provider
                ? provider.compileCache()
                : Optional.empty();
        if (folder.isEmpty()) return build(key, checkpoint());
        Optional<Float32Copy> copy = Float32Copy.of(checkpoint(), folder.get());
        if (copy.isEmpty()) return build(key, checkpoint());
        try (Float32Copy float32 = copy.get()) {
            return build(key, float32.checkpoint());
        }
    }

    /// @param stored the checkpoint or a copy of it
    private OnnxSession build(UNetKey key, Checkpoint stored) throws Failure {
        OnnxRuntime runtime = runtime();
        OnnxSession.SessionWeights weights = OnnxSession.SessionWeights
                .of(stored, model().settings(), runtime.device())
                .withCheckpoint(checkpoint());
        GraphOptions defaults = GraphOptions.of(runtime.device(), weights.mode());
        GraphOptions options = (slicedAttention ? defaults.withLowestMemory() : defaults)
                .withElementType(elementType(), attentionKernel(key.latents));
        boolean isMappedOnCpu = weights.mode() == OnnxSession.WeightMode.MAPPED && runtime.device().equals(Device.CPU);
        UNetGraph graph = new UNetGraph(unet, stored, options,
                isMappedOnCpu ? HalfWeightsMode.INPUTS : HalfWeightsMode.INITIALIZERS);
        Graph.Value output = graph.build(key.latents, key.context, key.adaptations, key.changed);
        byte[] bytes = graph.graph().model(output);
        if (!key.changed.compiled() || key.changed.keys().isEmpty())
            return runtime.createSession(bytes, weights, output.shape());
        try (FusedWeights.Copies fused = fusedWeights().copies(runtime, compiledAdapters)) {
            fusedWeights().close(); // only the copies are needed, and only while the session is created
            return runtime.createSession(bytes, weights, output.shape(), fused.tensors());
        }
    }

    private ElementType elementType() {
        return halfPrecision ? ElementType.FLOAT16 : ElementType.FLOAT;
    }

    private AttentionKernel attentionKernel(Shape latents) throws Failure {
        AttentionKernel found = attentionKernel;
        if (found == null)
            attentionKernel = found = AttentionBenchmark.selectKernel(runtime(), unet, latents, elementType());
        return found;
    }

    @Override
    void closeSessions() {
        sessions.close();
        attentionKernel = null;
    }

    @Override
    public void close() {
        if (fusedWeights != null) fusedWeights.close();
        fusedWeights = null;
        if (mappedInputs != null) mappedInputs.close();
        mappedInputs = null;
        adapterInputs.close();
        super.close();
    }
}

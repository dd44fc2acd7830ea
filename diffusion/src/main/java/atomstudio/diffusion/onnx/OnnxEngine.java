package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.AdapterTargets;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.onnx.GraphOptions.AttentionKernel;
import atomstudio.diffusion.onnx.GraphWeights.HalfWeightsMode;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Runs a model on ONNX Runtime. The graph of each network is written when first used, for each input shape. Adapter
/// parameters, or the weights with adapters fused in, are graph inputs: adapters of the same form, and adapter weights,
/// change without a new session. Not thread-safe; owns its sessions and mapped weights.
public final class OnnxEngine implements Engine {
    private static final int MAX_SESSIONS = 3;

    /// @param skippedLayers layers omitted at the end of the text encoder (clip skip − 1)
    /// @param adaptations of the adapters whose parameters are inputs
    private record TextKey(Shape ids, int skippedLayers, List<Adaptation> adaptations) {}

    /// @param adaptations of the adapters whose parameters are inputs
    /// @param fusedKeys keys of the weights that are inputs, with adapters fused in
    private record UNetKey(Shape latents, Shape context, List<Adaptation> adaptations, Set<String> fusedKeys) {}

    private final DiffusionModel model;
    private final OnnxRuntime runtime;
    private final OnnxSettings settings;
    private final AdapterTargets targets;
    private final Map<ModelComponent, Checkpoint> checkpoints = new EnumMap<>(ModelComponent.class);
    private final SessionCache<TextKey> textSessions = new SessionCache<>(MAX_SESSIONS, this::buildTextEncoder);
    private final SessionCache<UNetKey> unetSessions = new SessionCache<>(MAX_SESSIONS, this::buildUnet);
    private final SessionCache<Shape> decoderSessions = new SessionCache<>(MAX_SESSIONS, this::buildDecoder);
    private final SessionCache<Shape> encoderSessions = new SessionCache<>(MAX_SESSIONS, this::buildEncoder);
    private final ClipEncoders clipEncoders;
    private final OnnxTileDecoder tileDecoder;
    private final AdapterInputs unetInputs = new AdapterInputs();
    private final AdapterInputs textInputs = new AdapterInputs();
    private boolean halfPrecision;
    private boolean slicedAttention;
    private @Nullable FusedWeights fusedWeights;
    private @Nullable MappedWeightInputs mappedInputs;
    private @Nullable AttentionKernel attentionKernel;

    private OnnxEngine(DiffusionModel model, OnnxRuntime runtime, OnnxSettings settings) {
        this.model = model;
        this.settings = settings;
        this.halfPrecision = settings.unetPrecision() == OnnxSettings.UNetPrecision.FLOAT16;
        this.runtime = runtime;
        this.targets = AdapterTargets.of(model);
        this.clipEncoders = new ClipEncoders(model, runtime, settings);
        this.tileDecoder = new OnnxTileDecoder(model.vae(), runtime, settings);
    }

    /// Opens and checks all weight files; weights are read when first used.
    /// @throws Failure.Incompatible if tensors are missing or of another shape; all are listed
    /// @throws Failure.DeviceUnavailable if the device is not available
    public static OnnxEngine open(DiffusionModel model, Device device, int threads) throws Failure {
        return open(model, device, threads, OnnxSettings.of(device));
    }

    /// The same with other settings.
    public static OnnxEngine open(DiffusionModel model, Device device, int threads, OnnxSettings settings)
            throws Failure {
        OnnxEngine engine = new OnnxEngine(model, OnnxRuntime.open(device, threads), settings);
        try {
            for (ModelComponent component : ModelComponent.values())
                engine.checkpoints.put(component, model.openCheckpoint(component));
            return engine;
        } catch (Failure e) {
            engine.close();
            throw e;
        }
    }

    @Override
    public Tensor encodeText(int[][] ids, int clipSkip, List<WeightedAdapter> adapters) throws Failure {
        List<WeightedAdapter> used = targets.targetingTextEncoder(adapters);
        Shape shape = Shape.of(ids.length, ids[0].length);
        OnnxSession session = textSessions.get(new TextKey(shape, clipSkip - 1, AdapterInputs.adaptations(used)));
        Map<String, OnnxSession.Feed> feeds = AdapterInputs.weightFeeds(used);
        feeds.put("ids", OnnxSession.Feed.ids(ids));
        return session.run(feeds, textInputs.persistentInputs(runtime, used, session.inputs()));
    }

    @Override
    public Tensor predictNoise(Tensor latents, float[] timesteps, Tensor context, List<WeightedAdapter> adapters)
            throws Failure {
        List<WeightedAdapter> used = targets.targetingUnet(adapters);
        List<Adaptation> adaptations = AdapterInputs.adaptations(used);
        boolean isFused = settings.adapterMode() == OnnxSettings.AdapterMode.FUSED && !used.isEmpty();
        Set<String> fusedKeys = isFused ? fusedWeights().changedKeys(adaptations) : Set.of();
        OnnxSession session = unetSessions.get(new UNetKey(latents.shape(), context.shape(),
                fusedKeys.isEmpty() ? adaptations : List.of(), fusedKeys));
        Map<String, OnnxSession.Feed> feeds = new LinkedHashMap<>();
        feeds.put("latents", OnnxSession.Feed.of(latents));
        feeds.put("time_features", OnnxSession.Feed.of(model.unet().timeProjection().embed(timesteps)));
        feeds.put("context", OnnxSession.Feed.of(context));
        Map<String, OnnxTensor> persistent = new LinkedHashMap<>(
                mappedInputs().inputs(runtime, session.inputs(), fusedKeys));
        if (fusedKeys.isEmpty()) {
            feeds.putAll(AdapterInputs.weightFeeds(used));
            persistent.putAll(unetInputs.persistentInputs(runtime, used, session.inputs()));
        } else {
            persistent.putAll(fusedWeights().inputs(runtime, used));
        }
        return session.run(feeds, persistent);
    }

    @Override
    public void checkFiles() throws Failure.Unreadable {
        for (Checkpoint checkpoint : checkpoints.values()) checkpoint.checkUnchanged();
    }

    @Override
    public boolean enableAttentionSlicing() {
        if (slicedAttention) return false;
        slicedAttention = true;
        unetSessions.close();
        return true;
    }

    @Override
    public ComputePrecision precision() {
        return halfPrecision ? ComputePrecision.HALF : ComputePrecision.FULL;
    }

    @Override
    public void useFullPrecision() {
        halfPrecision = false;
        attentionKernel = null; // was selected for float16
        unetSessions.close();
    }

    private FusedWeights fusedWeights() {
        FusedWeights found = fusedWeights;
        if (found == null)
            fusedWeights = found = new FusedWeights(model.layers(ModelComponent.UNET), checkpoint(ModelComponent.UNET));
        return found;
    }

    private MappedWeightInputs mappedInputs() {
        MappedWeightInputs found = mappedInputs;
        if (found == null) mappedInputs = found = new MappedWeightInputs(checkpoint(ModelComponent.UNET));
        return found;
    }

    private Checkpoint checkpoint(ModelComponent component) {
        Checkpoint found = checkpoints.get(component);
        if (found == null) throw new IllegalStateException("the engine is closed");
        return found;
    }

    @Override
    public Tensor decode(Tensor latents) throws Failure {
        return decoderSessions.get(latents.shape()).run(Map.of("latents", OnnxSession.Feed.of(latents)), Map.of());
    }

    @Override
    public Tensor decodeHead(Tensor latents, int levels) throws Failure {
        return tileDecoder.decodeHead(checkpoint(ModelComponent.VAE), latents, levels);
    }

    @Override
    public Tensor decodeTile(Tensor features, int level, List<LayerWeights<Tensor>> norms) throws Failure {
        return tileDecoder.decodeTile(checkpoint(ModelComponent.VAE), features, level, norms);
    }

    @Override
    public LatentDistribution encode(Tensor images) throws Failure {
        OnnxSession session = encoderSessions.get(images.shape());
        return LatentDistribution
                .ofEncoderOutput(session.run(Map.of("images", OnnxSession.Feed.of(images)), Map.of()));
    }

    @Override
    public Tensor embedImages(Tensor pixelValues) throws Failure {
        return clipEncoders.embedImages(pixelValues);
    }

    @Override
    public Tensor embedText(int[][] ids) throws Failure {
        return clipEncoders.embedText(ids);
    }

    private OnnxSession buildTextEncoder(TextKey key) throws Failure {
        return runtime.createSession(checkpoint(ModelComponent.TEXT_ENCODER), settings, (ops, weights) -> {
            Graph.Value ids = ops.graph().input("ids", key.ids, ElementType.INT64);
            return model.textEncoder()
                    .encode(ops, AdapterInputs.adapted(ops, weights, key.adaptations), ids, key.skippedLayers);
        });
    }

    private OnnxSession buildDecoder(Shape latents) throws Failure {
        return runtime.createSession(checkpoint(ModelComponent.VAE), settings,
                (ops, weights) -> model.vae().decode(ops, weights, ops.input("latents", latents)));
    }

    private OnnxSession buildEncoder(Shape images) throws Failure {
        return runtime.createSession(checkpoint(ModelComponent.VAE), settings,
                (ops, weights) -> model.vae().encode(ops, weights, ops.input("images", images)));
    }

    private OnnxSession buildUnet(UNetKey key) throws Failure {
        Checkpoint checkpoint = checkpoint(ModelComponent.UNET);
        OnnxSession.SessionWeights weights = OnnxSession.SessionWeights.of(checkpoint, settings);
        GraphOptions defaults = GraphOptions.of(runtime.device(), weights.mode());
        GraphOptions options = (slicedAttention ? defaults.withLowestMemory() : defaults)
                .withElementType(elementType(), attentionKernel(key.latents));
        boolean isMappedOnCpu = weights.mode() == OnnxSession.WeightMode.MAPPED && runtime.device() == Device.CPU;
        UNetGraph graph = new UNetGraph(model.unet(), checkpoint, options,
                isMappedOnCpu ? HalfWeightsMode.INPUTS : HalfWeightsMode.INITIALIZERS);
        Graph.Value output = graph.build(key.latents, key.context, key.adaptations, key.fusedKeys);
        return runtime.createSession(graph.graph().model(output), weights, output.shape());
    }

    private ElementType elementType() {
        return halfPrecision ? ElementType.FLOAT16 : ElementType.FLOAT;
    }

    private AttentionKernel attentionKernel(Shape latents) throws Failure {
        AttentionKernel found = attentionKernel;
        if (found == null)
            attentionKernel = found = AttentionBenchmark.selectKernel(runtime, model.unet(), latents, elementType());
        return found;
    }

    @Override
    public void close() {
        textSessions.close();
        unetSessions.close();
        decoderSessions.close();
        encoderSessions.close();
        if (fusedWeights != null) fusedWeights.close();
        fusedWeights = null;
        if (mappedInputs != null) mappedInputs.close();
        mappedInputs = null;
        unetInputs.close();
        textInputs.close();
        clipEncoders.close();
        tileDecoder.close();
        checkpoints.values().forEach(Checkpoint::close);
        checkpoints.clear();
    }
}

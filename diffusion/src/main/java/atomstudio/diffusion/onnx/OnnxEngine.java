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
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Runs a model on ONNX Runtime: a graph for each network, batch and size, written when first needed and kept while
/// it is used. Adapters, or the weights with adapters multiplied in, are graph inputs: adapters of one form and their
/// strengths change without a new session. One thread at a time; owns its sessions and the maps of the weights.
public final class OnnxEngine implements Engine {
    /// Sessions kept for one part; the least recently used goes first.
    private static final int MAX_SESSIONS_PER_NETWORK = 3;

    private enum Network { TEXT, UNET, DECODER, ENCODER }

    /// @param skippedLayers blocks of the text encoder that are left out at its end
    /// @param adaptations of the adapters whose numbers are inputs
    /// @param weightInputs keys of the weights that are inputs
    private record SessionKey(Network network, int skippedLayers, List<Shape> inputShapes, List<Adaptation> adaptations,
            Set<String> weightInputs) {
        SessionKey(Network network, List<Shape> inputShapes) {
            this(network, 0, inputShapes, List.of(), Set.of());
        }
    }

    private final DiffusionModel model;
    private final OnnxRuntime runtime;
    private final Map<ModelComponent, Checkpoint> checkpoints = new EnumMap<>(ModelComponent.class);
    private final ClipEncoders clipEncoders;
    private final OnnxTileDecoder tileDecoder;
    private final Map<SessionKey, OnnxSession> sessions = new LinkedHashMap<>(8, 0.75f, true);
    private final AdapterInputs unetInputs = new AdapterInputs();
    private final AdapterInputs textInputs = new AdapterInputs();
    private final AdapterTargets targets;
    private final OnnxSettings settings;
    private boolean halfPrecision;
    private boolean slicedAttention;
    private @Nullable FusedWeights fusedWeights;
    private @Nullable MappedWeightInputs mappedInputs;
    private GraphOps.@Nullable AttentionKernel attentionKernel;

    private OnnxEngine(DiffusionModel model, OnnxRuntime runtime, OnnxSettings settings) {
        this.model = model;
        this.settings = settings;
        this.halfPrecision = settings.unetPrecision() == OnnxSettings.UNetPrecision.FLOAT16;
        this.runtime = runtime;
        this.targets = AdapterTargets.of(model);
        this.clipEncoders = new ClipEncoders(model, runtime);
        this.tileDecoder = new OnnxTileDecoder(model.vae(), runtime);
    }

    /// Nothing of the weights is read before the first call that needs them, but all are checked here.
    /// @throws Failure.Incompatible when tensors are missing or of another shape, all listed
    /// @throws Failure.NoDevice when the device is not there
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
        List<WeightedAdapter> textAdapters = targets.targetingTextEncoder(adapters);
        OnnxSession session = session(new SessionKey(Network.TEXT, clipSkip - 1,
                List.of(Shape.of(ids.length, ids[0].length)), adaptations(textAdapters), Set.of()));
        Map<String, OnnxSession.Feed> feeds = new LinkedHashMap<>(AdapterInputs.weightFeeds(textAdapters));
        feeds.put("ids", OnnxSession.Feed.ids(ids));
        return session.run(feeds, textInputs.persistentInputs(runtime, textAdapters, session.inputs()));
    }

    @Override
    public Tensor predictNoise(Tensor latents, float[] timesteps, Tensor context, List<WeightedAdapter> adapters)
            throws Failure {
        List<WeightedAdapter> used = targets.targetingUnet(adapters);
        List<Shape> shapes = List.of(latents.shape(), context.shape());
        Map<String, OnnxSession.Feed> feeds = new LinkedHashMap<>();
        feeds.put("latents", OnnxSession.Feed.of(latents));
        feeds.put("features", OnnxSession.Feed.of(model.unet().timeProjection().embed(timesteps)));
        feeds.put("context", OnnxSession.Feed.of(context));
        Set<String> open = settings.adapterMode() == OnnxSettings.AdapterMode.FUSED && !used.isEmpty()
                ? fusedWeights().changedKeys(adaptations(used))
                : Set.of();
        OnnxSession session = session(
                new SessionKey(Network.UNET, 0, shapes, open.isEmpty() ? adaptations(used) : List.of(), open));
        Map<String, OnnxTensor> standing = new LinkedHashMap<>(mappedInputs().inputs(runtime, session.inputs(), open));
        if (open.isEmpty()) {
            feeds.putAll(AdapterInputs.weightFeeds(used));
            standing.putAll(unetInputs.persistentInputs(runtime, used, session.inputs()));
        } else {
            standing.putAll(fusedWeights().inputs(runtime, used));
        }
        return session.run(feeds, standing);
    }

    @Override
    public void checkFiles() throws Failure.Unreadable {
        for (Checkpoint checkpoint : checkpoints.values()) checkpoint.checkUnchanged();
    }

    @Override
    public boolean enableAttentionSlicing() {
        if (slicedAttention) return false;
        slicedAttention = true;
        dropUnet();
        return true;
    }

    @Override
    public ComputePrecision precision() {
        return halfPrecision ? ComputePrecision.HALF : ComputePrecision.FULL;
    }

    @Override
    public void useFullPrecision() {
        halfPrecision = false;
        attentionKernel = null; // was chosen for the other numbers
        dropUnet();
    }

    private void dropUnet() {
        sessions.entrySet().removeIf(entry -> {
            boolean isUnet = entry.getKey().network == Network.UNET;
            if (isUnet) entry.getValue().close();
            return isUnet;
        });
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

    private static List<Adaptation> adaptations(List<WeightedAdapter> adapters) {
        return adapters.stream().map(weighted -> weighted.adapter().adaptation()).toList();
    }

    @Override
    public Tensor decode(Tensor latents) throws Failure {
        return session(new SessionKey(Network.DECODER, List.of(latents.shape())))
                .run(Map.of("latents", OnnxSession.Feed.of(latents)), Map.of());
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
        Tensor encoderOutput = session(new SessionKey(Network.ENCODER, List.of(images.shape())))
                .run(Map.of("pictures", OnnxSession.Feed.of(images)), Map.of());
        return LatentDistribution.ofEncoderOutput(encoderOutput);
    }

    @Override
    public Tensor embedImages(Tensor pictures) throws Failure {
        return clipEncoders.embedImages(pictures);
    }

    @Override
    public Tensor embedText(int[][] ids) throws Failure {
        return clipEncoders.embedText(ids);
    }

    private OnnxSession session(SessionKey key) throws Failure {
        OnnxSession session = sessions.get(key);
        if (session == null) {
            evictOldest(key.network);
            session = build(key);
            sessions.put(key, session);
        }
        return session;
    }

    private void evictOldest(Network network) {
        List<SessionKey> open = new ArrayList<>(
                sessions.keySet().stream().filter(key -> key.network == network).toList());
        while (open.size() >= MAX_SESSIONS_PER_NETWORK) sessions.remove(open.removeFirst()).close();
    }

    private OnnxSession build(SessionKey key) throws Failure {
        if (key.network == Network.UNET) return buildUnet(key);
        Graph graph = new Graph();
        Checkpoint checkpoint = checkpoint(component(key.network));
        OnnxSession.SessionWeights sessionWeights = OnnxSession.SessionWeights.of(checkpoint, settings);
        GraphOps ops = new GraphOps(graph, GraphOps.GraphOptions.of(runtime.device(), sessionWeights.mode()));
        WeightSource<Graph.Value> weights = memoized(
                AdapterInputs.adapted(graph, ops, new GraphWeights(graph, checkpoint), key.adaptations));
        Shape firstShape = key.inputShapes.getFirst();
        Graph.Value output = switch (key.network) {
            case TEXT -> model.textEncoder()
                    .encode(ops, weights, graph.input("ids", firstShape, Graph.ElementType.INT64), key.skippedLayers);
            case DECODER -> model.vae().decode(ops, weights, ops.input("latents", firstShape));
            case ENCODER -> model.vae().encode(ops, weights, ops.input("pictures", firstShape));
            case UNET -> throw new IllegalArgumentException("has a graph of its own");
        };
        return runtime.createSession(graph.model(output), sessionWeights, output.shape());
    }

    private OnnxSession buildUnet(SessionKey key) throws Failure {
        Checkpoint checkpoint = checkpoint(ModelComponent.UNET);
        OnnxSession.SessionWeights sessionWeights = OnnxSession.SessionWeights.of(checkpoint, settings);
        GraphOps.GraphOptions defaults = GraphOps.GraphOptions.of(runtime.device(), sessionWeights.mode());
        GraphOps.GraphOptions options = (slicedAttention ? defaults.withLowestMemory() : defaults).withElement(
                halfPrecision ? Graph.ElementType.FLOAT16 : Graph.ElementType.FLOAT,
                attentionKernel(key.inputShapes.getFirst()));
        GraphWeights.HalfWeightsMode halfMode = sessionWeights.mode() == OnnxSession.WeightMode.MAPPED
                && runtime.device() == Device.CPU ? GraphWeights.HalfWeightsMode.INPUTS
                        : GraphWeights.HalfWeightsMode.INITIALIZERS;
        UNetGraph unet = new UNetGraph(model.unet(), checkpoint, new UNetGraph.UNetGraphOptions(halfMode, options));
        Shape features = Shape.of(key.inputShapes.getFirst().size(0), model.unet().timeProjection().dim());
        Graph.Value output = unet.build(
                new UNetGraph.Inputs(key.inputShapes.getFirst(), features, key.inputShapes.get(1)), key.adaptations,
                key.weightInputs);
        return runtime.createSession(unet.graph().model(output), sessionWeights, output.shape());
    }

    private GraphOps.AttentionKernel attentionKernel(Shape latents) throws Failure {
        GraphOps.AttentionKernel found = attentionKernel;
        if (found == null)
            attentionKernel = found = AttentionBenchmark.selectKernel(runtime, model.unet(), latents,
                    halfPrecision ? Graph.ElementType.FLOAT16 : Graph.ElementType.FLOAT);
        return found;
    }

    /// Parts of a block ask for a layer again.
    static WeightSource<Graph.Value> memoized(WeightSource<Graph.Value> layers) {
        Map<String, LayerWeights<Graph.Value>> cache = new HashMap<>();
        return layer -> cache.computeIfAbsent(layer.name(), name -> layers.get(layer));
    }

    private static ModelComponent component(Network network) {
        return switch (network) {
            case TEXT -> ModelComponent.TEXT_ENCODER;
            case UNET -> ModelComponent.UNET;
            case DECODER, ENCODER -> ModelComponent.VAE;
        };
    }

    @Override
    public void close() {
        sessions.values().forEach(OnnxSession::close);
        sessions.clear();
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

package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.AdapterTargets;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.LatentDistribution;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layers;
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

/// Runs a model on ONNX Runtime: a graph for each network, batch and size, written when first needed and kept while it is used.
/// Adapters, or the weights with adapters multiplied in, are graph inputs: adapters of one form and their strengths change without a new session.
/// One thread at a time; owns its sessions and the maps of the weights.
public final class OnnxEngine implements Engine {
    /// Sessions kept for one part; the least recently used goes first.
    private static final int KEPT = 3;

    private enum Network { TEXT, UNET, DECODER, ENCODER }

    /// @param skipped blocks of the text encoder that are left out at its end
    /// @param forms of the adapters whose numbers are inputs
    /// @param open keys of the weights that are inputs
    private record Key(Network network, int skipped, List<Shape> inputs, List<Adaptation> forms, Set<String> open) {
        Key(Network network, List<Shape> inputs) {
            this(network, 0, inputs, List.of(), Set.of());
        }
    }

    private final DiffusionModel model;
    private final Runtime runtime;
    private final Map<ModelComponent, Checkpoint> checkpoints = new EnumMap<>(ModelComponent.class);
    private final OnnxTowers towers;
    private final OnnxTiles tiles;
    private final Map<Key, Session> sessions = new LinkedHashMap<>(8, 0.75f, true);
    private final AdapterInputs unetInputs = new AdapterInputs();
    private final AdapterInputs textInputs = new AdapterInputs();
    private final AdapterTargets reach;
    private final OnnxSettings settings;
    private boolean half;
    private boolean sliced;
    private @Nullable FoldedWeights folded;
    private @Nullable StoredInputs stored;
    private GraphOps.@Nullable Kernel kernel;

    private OnnxEngine(DiffusionModel model, Runtime runtime, OnnxSettings settings) {
        this.model = model;
        this.settings = settings;
        this.half = settings.numbers() == OnnxSettings.Numbers.FLOAT16;
        this.runtime = runtime;
        this.reach = AdapterTargets.of(model);
        this.towers = new OnnxTowers(model, runtime);
        this.tiles = new OnnxTiles(model.vae(), runtime);
    }

    /// Nothing of the weights is read before the first call that needs them, but all are checked here.
    /// @throws Failure.Incompatible when tensors are missing or of another shape, all listed
    /// @throws Failure.NoDevice when the device is not there
    public static OnnxEngine open(DiffusionModel model, Device device, int threads) throws Failure {
        return open(model, device, threads, OnnxSettings.of(device));
    }

    /// The same with other settings.
    public static OnnxEngine open(DiffusionModel model, Device device, int threads, OnnxSettings settings) throws Failure {
        OnnxEngine engine = new OnnxEngine(model, Runtime.open(device, threads), settings);
        try {
            for (ModelComponent part : ModelComponent.values()) engine.checkpoints.put(part, model.openCheckpoint(part));
            return engine;
        } catch (Failure e) {
            engine.close();
            throw e;
        }
    }

    @Override public Tensor encodeText(int[][] ids, int clipSkip, List<WeightedAdapter> adapters) throws Failure {
        List<WeightedAdapter> used = reach.targetingTextEncoder(adapters);
        Session session = session(new Key(Network.TEXT, clipSkip - 1, List.of(Shape.of(ids.length, ids[0].length)), forms(used), Set.of()));
        Map<String, Feed> feeds = new LinkedHashMap<>(AdapterInputs.strengths(used));
        feeds.put("ids", Feed.ids(ids));
        return session.run(feeds, textInputs.of(runtime, used, session.inputs()));
    }

    @Override public Tensor predictNoise(Tensor latents, float[] timesteps, Tensor context, List<WeightedAdapter> adapters) throws Failure {
        List<WeightedAdapter> used = reach.targetingUnet(adapters);
        List<Shape> shapes = List.of(latents.shape(), context.shape());
        Map<String, Feed> feeds = new LinkedHashMap<>();
        feeds.put("latents", Feed.of(latents));
        feeds.put("features", Feed.of(model.unet().timeProjection().embed(timesteps)));
        feeds.put("context", Feed.of(context));
        Set<String> open = settings.adapters() == OnnxSettings.Adapters.FOLDED && !used.isEmpty() ? folded().changed(forms(used)) : Set.of();
        Session session = session(new Key(Network.UNET, 0, shapes, open.isEmpty() ? forms(used) : List.of(), open));
        Map<String, OnnxTensor> standing = new LinkedHashMap<>(stored().of(runtime, session.inputs(), open));
        if (open.isEmpty()) {
            feeds.putAll(AdapterInputs.strengths(used));
            standing.putAll(unetInputs.of(runtime, used, session.inputs()));
        } else {
            standing.putAll(folded().of(runtime, used));
        }
        return session.run(feeds, standing);
    }

    @Override public void checkFiles() throws Failure.Unreadable {
        for (Checkpoint checkpoint : checkpoints.values()) checkpoint.check();
    }

    @Override public boolean enableAttentionSlicing() {
        if (sliced) return false;
        sliced = true;
        dropUnet();
        return true;
    }

    @Override public ComputePrecision precision() {
        return half ? ComputePrecision.HALF : ComputePrecision.FULL;
    }

    @Override public void useFullPrecision() {
        half = false;
        kernel = null;                                                          // was chosen for the other numbers
        dropUnet();
    }

    private void dropUnet() {
        sessions.entrySet().removeIf(entry -> {
            boolean old = entry.getKey().network == Network.UNET;
            if (old) entry.getValue().close();
            return old;
        });
    }

    private FoldedWeights folded() {
        FoldedWeights found = folded;
        if (found == null) folded = found = new FoldedWeights(model.layers(ModelComponent.UNET), checkpoint(ModelComponent.UNET));
        return found;
    }

    private StoredInputs stored() {
        StoredInputs found = stored;
        if (found == null) stored = found = new StoredInputs(checkpoint(ModelComponent.UNET));
        return found;
    }

    private Checkpoint checkpoint(ModelComponent part) {
        Checkpoint found = checkpoints.get(part);
        if (found == null) throw new IllegalStateException("the engine is closed");
        return found;
    }

    private static List<Adaptation> forms(List<WeightedAdapter> adapters) {
        return adapters.stream().map(applied -> applied.adapter().form()).toList();
    }

    @Override public Tensor decode(Tensor latents) throws Failure {
        return session(new Key(Network.DECODER, List.of(latents.shape()))).run(Map.of("latents", Feed.of(latents)), Map.of());
    }

    @Override public Tensor decodeHead(Tensor latents, int levels) throws Failure {
        return tiles.head(checkpoint(ModelComponent.VAE), latents, levels);
    }

    @Override public Tensor decodeTile(Tensor features, int level, List<Affine<Tensor>> norms) throws Failure {
        return tiles.tile(checkpoint(ModelComponent.VAE), features, level, norms);
    }

    @Override public LatentDistribution encode(Tensor pictures) throws Failure {
        Tensor both = session(new Key(Network.ENCODER, List.of(pictures.shape()))).run(Map.of("pictures", Feed.of(pictures)), Map.of());
        return LatentDistribution.ofEncoderOutput(both);
    }

    @Override public Tensor embedImages(Tensor pictures) throws Failure {
        return towers.pictures(pictures);
    }

    @Override public Tensor embedText(int[][] ids) throws Failure {
        return towers.texts(ids);
    }

    private Session session(Key key) throws Failure {
        Session session = sessions.get(key);
        if (session == null) {
            dropOldest(key.network);
            session = build(key);
            sessions.put(key, session);
        }
        return session;
    }

    private void dropOldest(Network network) {
        List<Key> kept = new ArrayList<>(sessions.keySet().stream().filter(key -> key.network == network).toList());
        while (kept.size() >= KEPT) sessions.remove(kept.removeFirst()).close();
    }

    private Session build(Key key) throws Failure {
        if (key.network == Network.UNET) return buildUnet(key);
        Graph graph = new Graph();
        Checkpoint checkpoint = checkpoint(part(key.network));
        Session.Weights stored = Session.Weights.of(checkpoint, settings);
        GraphOps ops = new GraphOps(graph, GraphOps.Choice.of(runtime.device(), stored.use()));
        Layers<Value> weights = remembering(AdapterInputs.over(graph, ops, new GraphWeights(graph, checkpoint), key.forms));
        Shape first = key.inputs.getFirst();
        Value output = switch (key.network) {
            case TEXT -> model.textEncoder().encode(ops, weights, graph.input("ids", first, Graph.Element.INT64), key.skipped);
            case DECODER -> model.vae().decode(ops, weights, ops.entering("latents", first));
            case ENCODER -> model.vae().encode(ops, weights, ops.entering("pictures", first));
            case UNET -> throw new IllegalArgumentException("has a graph of its own");
        };
        return runtime.session(graph.model(output), stored, output.shape());
    }

    private Session buildUnet(Key key) throws Failure {
        Checkpoint checkpoint = checkpoint(ModelComponent.UNET);
        Session.Weights stored = Session.Weights.of(checkpoint, settings);
        GraphOps.Choice plain = GraphOps.Choice.of(runtime.device(), stored.use());
        GraphOps.Choice choice = (sliced ? plain.scarce() : plain).in(half ? Graph.Element.FLOAT16 : Graph.Element.FLOAT, kernel(key.inputs.getFirst()));
        GraphWeights.Half as = stored.use() == Session.Use.MAPPED && runtime.device() == Device.CPU ? GraphWeights.Half.INPUTS : GraphWeights.Half.INITIALIZERS;
        UNetGraph unet = new UNetGraph(model.unet(), checkpoint, new UNetGraph.Plan(as, choice));
        Shape features = Shape.of(key.inputs.getFirst().size(0), model.unet().timeProjection().dim());
        Value output = unet.write(new UNetGraph.Inputs(key.inputs.getFirst(), features, key.inputs.get(1)), key.forms, key.open);
        return runtime.session(unet.graph().model(output), stored, output.shape());
    }

    private GraphOps.Kernel kernel(Shape latents) throws Failure {
        GraphOps.Kernel found = kernel;
        if (found == null) kernel = found = AttentionProbe.kernel(runtime, model.unet(), latents, half ? Graph.Element.FLOAT16 : Graph.Element.FLOAT);
        return found;
    }

    /// Parts of a block ask for a layer again.
    static Layers<Value> remembering(Layers<Value> layers) {
        Map<String, Affine<Value>> known = new HashMap<>();
        return layer -> known.computeIfAbsent(layer.name(), name -> layers.get(layer));
    }

    private static ModelComponent part(Network network) {
        return switch (network) {
            case TEXT -> ModelComponent.TEXT_ENCODER;
            case UNET -> ModelComponent.UNET;
            case DECODER, ENCODER -> ModelComponent.VAE;
        };
    }

    @Override public void close() {
        sessions.values().forEach(Session::close);
        sessions.clear();
        if (folded != null) folded.close();
        folded = null;
        if (stored != null) stored.close();
        stored = null;
        unetInputs.close();
        textInputs.close();
        towers.close();
        tiles.close();
        checkpoints.values().forEach(Checkpoint::close);
        checkpoints.clear();
    }
}

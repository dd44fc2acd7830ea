package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import java.lang.foreign.Arena;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/// A network's weights with adapters fused in: computed once per set of adapters and adapter weights by a separate
/// graph, and given to the network as inputs. One session then serves all adapters that change the same layers. Owns
/// the fused weights and caches those of recent adapters up to a size limit.
final class FusedWeights implements AutoCloseable {
    /// Size limit of cached weights, apart from those in use.
    private static final long DEFAULT_CACHE_BYTES = 256L << 20;

    private record Fused(List<WeightedAdapter> adapters, OrtSession.Result result, Map<String, OnnxTensor> inputs,
            long bytes) {
        boolean matches(List<WeightedAdapter> requested) {
            return isSame(adapters, requested);
        }
    }

    /// The changed weights of a graph.
    /// @param keys of weights and biases
    /// @param compiled whether they are initializers, given when the session is created, instead of inputs
    record ChangedWeights(Set<String> keys, boolean compiled) {
        private Graph.Value value(Graph graph, String key, Shape shape) {
            if (!compiled) return graph.input(key, shape, Graph.ElementType.FLOAT);
            // Only external initializers can be given to a session; the file is not read.
            return graph.externalInitializer(key, shape, Graph.ElementType.FLOAT,
                    new Graph.ExternalData("adapted", 0, Float.BYTES * shape.elements()));
        }
    }

    /// Whether two lists have the same adapters with the same weights.
    static boolean isSame(List<WeightedAdapter> adapters, List<WeightedAdapter> others) {
        if (others.size() != adapters.size()) return false;
        for (int i = 0; i < adapters.size(); i++) {
            if (others.get(i).adapter() != adapters.get(i).adapter()
                    || others.get(i).weight() != adapters.get(i).weight())
                return false;
        }
        return true;
    }

    private final List<Layer> layers;
    private final Checkpoint checkpoint;
    private final long cacheBytes;
    /// Least recently used first.
    private final List<Fused> cache = new ArrayList<>();

    FusedWeights(List<Layer> layers, Checkpoint checkpoint) {
        this(layers, checkpoint, DEFAULT_CACHE_BYTES);
    }

    /// @param cacheBytes size limit of cached weights, apart from those in use
    FusedWeights(List<Layer> layers, Checkpoint checkpoint, long cacheBytes) {
        this.layers = layers;
        this.checkpoint = checkpoint;
        this.cacheBytes = cacheBytes;
    }

    List<Layer> layers() {
        return layers;
    }

    /// The adapters of which this holds on some layer.
    List<WeightedAdapter> where(List<WeightedAdapter> adapters, BiPredicate<Adaptation, Layer> condition) {
        return adapters.stream()
                .filter(weighted -> layers.stream()
                        .anyMatch(layer -> condition.test(weighted.adapter().adaptation(), layer)))
                .toList();
    }

    /// The keys of the weights and biases that these adaptations change.
    Set<String> changedKeys(List<Adaptation> adaptations) {
        Set<String> keys = new LinkedHashSet<>();
        for (Layer layer : targetedLayers(adaptations)) {
            keys.add(layer.weightKey());
            if (hasBias(layer, adaptations)) keys.add(layer.biasKey());
        }
        return keys;
    }

    /// Bytes of the changed weights.
    long bytes(List<Adaptation> adaptations) {
        return targetedLayers(adaptations).stream()
                .mapToLong(layer -> Float.BYTES * layer.weightShape().elements())
                .sum();
    }

    private List<Layer> targetedLayers(List<Adaptation> adaptations) {
        return layers.stream()
                .filter(layer -> adaptations.stream().anyMatch(adaptation -> adaptation.changes(layer)))
                .toList();
    }

    /// Whether the adapted layer has a bias, which an adaptation may add.
    private static boolean hasBias(Layer layer, List<Adaptation> adaptations) {
        if (layer.hasBias()) return true;
        LayerWeights<Shape> plain = new LayerWeights<>(layer.weightShape(), null);
        for (Adaptation adaptation : adaptations) {
            Map<String, Shape> shapes = adaptation.parameterShapes(layer);
            if (adaptation.changes(layer)
                    && adaptation.effective(new ShapeOps(), layer, plain, shapes::get, Shape.of(1)).bias() != null)
                return true;
        }
        return false;
    }

    /// A network's layers with these weights changed.
    static WeightSource<Graph.Value> withChanges(Graph graph, WeightSource<Graph.Value> base, ChangedWeights changed) {
        return layer -> {
            if (!changed.keys.contains(layer.weightKey())) return base.get(layer);
            Graph.Value weight = changed.value(graph, layer.weightKey(), layer.weightShape());
            if (!changed.keys.contains(layer.biasKey())) return new LayerWeights<>(weight, null);
            return new LayerWeights<>(weight, changed.value(graph, layer.biasKey(), layer.biasShape()));
        };
    }

    /// The fused weights of these adapters by key; valid until the next call.
    Map<String, OnnxTensor> inputs(OnnxRuntime runtime, List<WeightedAdapter> adapters) throws Failure {
        Fused fused = takeCached(adapters);
        if (fused == null) {
            // Evicted first: a set of Stable Diffusion 1.5's weights has 2 to 3 GB.
            evictFor(bytes(AdapterInputs.adaptations(adapters)));
            fused = fuse(runtime, adapters);
        }
        cache.add(fused);
        return fused.inputs;
    }

    /// Fused weights in memory of their own, since ONNX Runtime takes no other tensor's as an initializer.
    record Copies(Arena arena, Map<String, OnnxTensor> tensors) implements AutoCloseable {
        @Override
        public void close() {
            tensors.values().forEach(OnnxTensor::close);
            arena.close();
        }
    }

    /// Copies of the fused weights by key.
    Copies copies(OnnxRuntime runtime, List<WeightedAdapter> adapters) throws Failure {
        Copies copies = new Copies(Arena.ofConfined(), new LinkedHashMap<>());
        try {
            for (Map.Entry<String, OnnxTensor> fused : inputs(runtime, adapters).entrySet()) {
                FloatBuffer values = fused.getValue().getFloatBuffer();
                FloatBuffer copy = copies.arena.allocate(Float.BYTES * (long) values.remaining(), Float.BYTES)
                        .asByteBuffer()
                        .order(ByteOrder.nativeOrder())
                        .asFloatBuffer();
                copies.tensors.put(fused.getKey(), OnnxTensor.createTensor(runtime.environment(),
                        copy.put(values).rewind(), fused.getValue().getInfo().getShape()));
            }
            return copies;
        } catch (OrtException e) {
            copies.close();
            throw OnnxRuntime.failure(e, "copying weights with adapters");
        }
    }

    private void evictFor(long neededBytes) {
        while (!cache.isEmpty() && cachedBytes() + neededBytes > cacheBytes) cache.removeFirst().result.close();
    }

    /// Bytes of all fused weights in memory.
    long cachedBytes() {
        return cache.stream().mapToLong(Fused::bytes).sum();
    }

    private @Nullable Fused takeCached(List<WeightedAdapter> adapters) {
        for (Fused fused : cache) {
            if (!fused.matches(adapters)) continue;
            cache.remove(fused);
            return fused;
        }
        return null;
    }

    private Fused fuse(OnnxRuntime runtime, List<WeightedAdapter> adapters) throws Failure {
        List<Adaptation> adaptations = AdapterInputs.adaptations(adapters);
        Graph graph = new Graph();
        GraphOps ops = new GraphOps(graph);
        WeightSource<Graph.Value> weights = AdapterInputs.adapted(ops, new GraphWeights(graph, checkpoint),
                adaptations);
        Map<String, Graph.Value> outputs = new LinkedHashMap<>();
        for (Layer layer : targetedLayers(adaptations)) {
            LayerWeights<Graph.Value> adapted = weights.get(layer).materialized(ops);
            outputs.put(layer.weightKey(), adapted.weight());
            if (adapted.bias() != null) outputs.put(layer.biasKey(), adapted.bias());
        }
        byte[] model = graph.model(List.copyOf(outputs.values()));
        try (OnnxSession session = runtime.withoutProvider()
                .createSession(model, OnnxSession.SessionWeights.forSingleRun(checkpoint),
                        Shape.of());
                AdapterInputs adapterInputs = new AdapterInputs()) {
            OrtSession.Result result = session.runAll(AdapterInputs.weightFeeds(adapters),
                    adapterInputs.persistentInputs(runtime, adapters, session.inputs()));
            Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
            int index = 0;
            for (String key : outputs.keySet()) inputs.put(key, (OnnxTensor) result.get(index++));
            return new Fused(List.copyOf(adapters), result, inputs, bytes(adaptations));
        }
    }

    @Override
    public void close() {
        cache.forEach(fused -> fused.result.close());
        cache.clear();
    }
}

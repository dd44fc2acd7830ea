package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtSession;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A network's weights with adapters multiplied in: computed by a graph of their own, once for all looks under these adapters at these
/// strengths, and given to the network as inputs. One session then serves every adapter that changes the same layers.
/// Owns the numbers it made; keeps those of the last few adapters as long as they are small.
final class FoldedWeights implements AutoCloseable {
    /// Bytes of numbers that are kept beside those in use.
    private static final long KEPT = 256L << 20;

    private record Folded(List<WeightedAdapter> adapters, OrtSession.Result numbers, Map<String, OnnxTensor> inputs, long bytes) {
        boolean under(List<WeightedAdapter> others) {
            if (others.size() != adapters.size()) return false;
            for (int i = 0; i < adapters.size(); i++) {
                if (others.get(i).adapter() != adapters.get(i).adapter() || others.get(i).weight() != adapters.get(i).weight()) return false;
            }
            return true;
        }
    }

    private final List<Layer> layers;
    private final Checkpoint checkpoint;
    private final long kept;
    /// The least recently used first.
    private final List<Folded> made = new ArrayList<>();

    FoldedWeights(List<Layer> layers, Checkpoint checkpoint) {
        this(layers, checkpoint, KEPT);
    }

    /// @param kept bytes of numbers that are kept beside those in use
    FoldedWeights(List<Layer> layers, Checkpoint checkpoint, long kept) {
        this.layers = layers;
        this.checkpoint = checkpoint;
        this.kept = kept;
    }

    /// The weights, by their keys, that adapters of these forms change.
    Set<String> changed(List<Adaptation> forms) {
        Set<String> keys = new LinkedHashSet<>();
        for (Layer layer : touched(forms)) {
            keys.add(layer.weightKey());
            if (biased(layer, forms)) keys.add(layer.biasKey());
        }
        return keys;
    }

    /// Bytes of these weights.
    long bytes(List<Adaptation> forms) {
        return touched(forms).stream().mapToLong(layer -> Float.BYTES * layer.weight().elements()).sum();
    }

    private List<Layer> touched(List<Adaptation> forms) {
        return layers.stream().filter(layer -> forms.stream().anyMatch(form -> !form.shapes(layer).isEmpty())).toList();
    }

    /// Whether the layer has a bias under these forms: some bring one.
    private static boolean biased(Layer layer, List<Adaptation> forms) {
        if (layer.biased()) return true;
        Affine<Shape> plain = new Affine<>(layer.weight(), null);
        for (Adaptation form : forms) {
            Map<String, Shape> shapes = form.shapes(layer);
            if (!shapes.isEmpty() && form.effective(new ShapeOps(), layer, plain, shapes::get, Shape.of(1)).bias() != null) return true;
        }
        return false;
    }

    /// A network's layers where these weights are the graph's inputs.
    static Layers<Value> open(Graph graph, Layers<Value> base, Set<String> inputs) {
        return layer -> {
            if (!inputs.contains(layer.weightKey())) return base.get(layer);
            Value weight = graph.input(layer.weightKey(), layer.weight(), Graph.Element.FLOAT);
            return new Affine<>(weight, inputs.contains(layer.biasKey()) ? graph.input(layer.biasKey(), layer.biasShape(), Graph.Element.FLOAT) : null);
        };
    }

    /// The inputs' numbers under these adapters; valid until the next call.
    Map<String, OnnxTensor> of(Runtime runtime, List<WeightedAdapter> adapters) throws Failure {
        Folded folded = take(adapters);
        if (folded == null) {
            // Before, not after: at Stable Diffusion 1.5's size each set is 2 to 3 GB.
            makeRoom(bytes(forms(adapters)));
            folded = fold(runtime, adapters);
        }
        made.add(folded);
        return folded.inputs;
    }

    private void makeRoom(long coming) {
        while (!made.isEmpty() && held() + coming > kept) made.removeFirst().numbers.close();
    }

    /// Bytes of the numbers that are held now.
    long held() {
        return made.stream().mapToLong(Folded::bytes).sum();
    }

    private static List<Adaptation> forms(List<WeightedAdapter> adapters) {
        return adapters.stream().map(applied -> applied.adapter().form()).toList();
    }

    private @Nullable Folded take(List<WeightedAdapter> adapters) {
        for (Folded folded : made) {
            if (!folded.under(adapters)) continue;
            made.remove(folded);
            return folded;
        }
        return null;
    }

    private Folded fold(Runtime runtime, List<WeightedAdapter> adapters) throws Failure {
        List<Adaptation> forms = forms(adapters);
        Graph graph = new Graph();
        GraphOps ops = new GraphOps(graph);
        Layers<Value> weights = AdapterInputs.over(graph, ops, new GraphWeights(graph, checkpoint), forms);
        Map<String, Value> outputs = new LinkedHashMap<>();
        for (Layer layer : touched(forms)) {
            Affine<Value> tuned = weights.get(layer).settled(ops);
            outputs.put(layer.weightKey(), tuned.weight());
            if (tuned.bias() != null) outputs.put(layer.biasKey(), tuned.bias());
        }
        byte[] model = graph.model(List.copyOf(outputs.values()));
        try (Session session = runtime.session(model, Session.Weights.once(checkpoint), Shape.of());
                AdapterInputs numbers = new AdapterInputs()) {
            OrtSession.Result result = session.all(AdapterInputs.strengths(adapters), numbers.of(runtime, adapters, session.inputs()));
            Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
            int next = 0;
            for (String key : outputs.keySet()) inputs.put(key, (OnnxTensor) result.get(next++));
            return new Folded(List.copyOf(adapters), result, inputs, bytes(forms));
        }
    }

    @Override public void close() {
        made.forEach(folded -> folded.numbers.close());
        made.clear();
    }
}

package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adapted;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.ops.Slots;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Adapters as graph inputs, named `adapterI/LAYER.SLOT` and `adapterI.strength`. Native copies of their numbers are made once
/// for each adapter in use and freed when it is used no longer.
final class AdapterInputs implements AutoCloseable {
    private final Map<Adapter, Map<String, OnnxTensor>> copies = new IdentityHashMap<>();

    /// The layers of a graph with these forms over them.
    static Layers<Value> over(Graph graph, GraphOps ops, Layers<Value> base, List<Adaptation> forms) {
        List<Adapted.Bound<Value>> bound = new ArrayList<>();
        for (int i = 0; i < forms.size(); i++) {
            int index = i;
            Adaptation form = forms.get(i);
            Value strength = graph.input(strength(i), Shape.of(1), Graph.Element.FLOAT);
            bound.add(new Adapted.Bound<>(form, layer -> slots(graph, prefix(index), form, layer), strength));
        }
        return new Adapted<>(ops, base, bound);
    }

    private static Slots<Value> slots(Graph graph, String prefix, Adaptation form, Layer layer) {
        Map<String, Value> inputs = new LinkedHashMap<>();
        form.shapes(layer).forEach((slot, shape) -> inputs.put(slot, graph.input(prefix + layer.name() + "." + slot, shape, Graph.Element.FLOAT)));
        return slot -> {
            Value value = inputs.get(slot);
            if (value == null) throw new IllegalArgumentException(layer.name() + ": no slot " + slot);
            return value;
        };
    }

    /// Feeds of the adapters' strengths.
    static Map<String, Feed> strengths(List<WeightedAdapter> adapters) {
        Map<String, Feed> feeds = new LinkedHashMap<>();
        for (int i = 0; i < adapters.size(); i++) feeds.put(strength(i), Feed.of(Tensor.filled(Shape.of(1), (float) adapters.get(i).weight())));
        return feeds;
    }

    private static String strength(int i) {
        return "adapter" + i + ".strength";
    }

    private static String prefix(int i) {
        return "adapter" + i + "/";
    }

    /// The standing inputs of these adapters, as far as the graph asks for them.
    Map<String, OnnxTensor> of(Runtime runtime, List<WeightedAdapter> adapters, Set<String> asked) throws Failure {
        List<Adapter> used = adapters.stream().map(WeightedAdapter::adapter).toList();
        copies.entrySet().removeIf(entry -> {
            boolean idle = used.stream().noneMatch(adapter -> adapter == entry.getKey());
            if (idle) entry.getValue().values().forEach(OnnxTensor::close);
            return idle;
        });
        Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
        for (int i = 0; i < used.size(); i++) {
            Map<String, OnnxTensor> numbers = copies.computeIfAbsent(used.get(i), adapter -> new LinkedHashMap<>());
            for (String key : used.get(i).values().keySet()) {
                if (asked.contains(prefix(i) + key)) inputs.put(prefix(i) + key, copy(runtime, used.get(i), key, numbers));
            }
        }
        return inputs;
    }

    private static OnnxTensor copy(Runtime runtime, Adapter adapter, String key, Map<String, OnnxTensor> made) throws Failure {
        OnnxTensor copy = made.get(key);
        if (copy != null) return copy;
        try {
            copy = Feed.of(adapter.values().get(key)).in(runtime.environment());
        } catch (OrtException e) {
            throw Runtime.failure(e, "adapter " + adapter.name());
        }
        made.put(key, copy);
        return copy;
    }

    @Override public void close() {
        copies.values().forEach(numbers -> numbers.values().forEach(OnnxTensor::close));
        copies.clear();
    }
}

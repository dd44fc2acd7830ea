package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerCall;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Adapters as graph inputs, named `adapterI/LAYER.PARAMETER` and `adapterI.weight`. Parameters are copied to native
/// memory once per adapter and freed when the adapter is no longer used.
final class AdapterInputs implements AutoCloseable {
    private final Map<Adapter, Map<String, OnnxTensor>> tensors = new IdentityHashMap<>();

    /// The layers of a graph with adaptations applied.
    static WeightSource<Graph.Value> adapted(GraphOps ops, WeightSource<Graph.Value> base,
            List<Adaptation> adaptations) {
        Graph graph = ops.graph();
        List<AdaptedWeights.BoundAdapter<Graph.Value>> bound = new ArrayList<>();
        for (int i = 0; i < adaptations.size(); i++) {
            int index = i;
            Adaptation adaptation = adaptations.get(i);
            Graph.Value weight = graph.input(weightInput(i), Shape.of(1), Graph.ElementType.FLOAT);
            Map<String, Adaptation.AdapterParameters<Graph.Value>> inputs = new HashMap<>(); // chunks repeat layers
            bound.add(new AdaptedWeights.BoundAdapter<>(adaptation, layer -> inputs.computeIfAbsent(layer.name(),
                    _ -> parameterInputs(graph, prefix(index), adaptation, layer)), weight));
        }
        return new AdaptedWeights<>(ops, base, bound);
    }

    static List<Adaptation> adaptations(List<WeightedAdapter> adapters) {
        return adapters.stream().map(weighted -> weighted.adapter().adaptation()).toList();
    }

    /// The branches of an adaptation, without its changes of weights.
    record Branches(Adaptation adaptation) implements Adaptation {
        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            return adaptation.addsBranch(layer) ? adaptation.parameterShapes(layer) : Map.of();
        }

        @Override
        public boolean isBranch(Layer layer) {
            return true;
        }

        @Override
        public boolean changesWeight(Layer layer) {
            return false;
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
                AdapterParameters<T> parameters, T adapterWeight) {
            return base;
        }

        @Override
        public Map<String, Tensor> atTimesteps(Layer layer, float[] timesteps) {
            return adaptation.atTimesteps(layer, timesteps);
        }

        @Override
        public <T> T branch(Ops<T> ops, LayerCall<T> call, AdapterParameters<T> parameters, T adapterWeight) {
            return adaptation.branch(ops, call, parameters, adapterWeight);
        }
    }

    private static Adaptation.AdapterParameters<Graph.Value> parameterInputs(Graph graph, String prefix,
            Adaptation adaptation, Layer layer) {
        Map<String, Graph.Value> inputs = new LinkedHashMap<>();
        adaptation.parameterShapes(layer)
                .forEach((parameter, shape) -> inputs.put(parameter,
                        graph.input(prefix + layer.name() + "." + parameter, shape, Graph.ElementType.FLOAT)));
        return parameter -> {
            Graph.Value value = inputs.get(parameter);
            if (value == null) throw new IllegalArgumentException(layer.name() + ": no parameter " + parameter);
            return value;
        };
    }

    /// Feeds of the adapter weights; the map is mutable.
    static Map<String, OnnxSession.Feed> weightFeeds(List<WeightedAdapter> adapters) {
        Map<String, OnnxSession.Feed> feeds = new LinkedHashMap<>();
        for (int i = 0; i < adapters.size(); i++)
            feeds.put(weightInput(i),
                    OnnxSession.Feed.of(Tensor.filled(Shape.of(1), (float) adapters.get(i).weight())));
        return feeds;
    }

    /// Feeds of the parameters that depend on the timestep, in place of the adapters' own.
    static Map<String, OnnxSession.Feed> timestepFeeds(List<WeightedAdapter> adapters, List<Layer> layers,
            float[] timesteps) {
        Map<String, OnnxSession.Feed> feeds = new LinkedHashMap<>();
        float[] common = {timesteps[0]};
        for (int i = 0; i < adapters.size(); i++) {
            Adaptation adaptation = adapters.get(i).adapter().adaptation();
            for (Layer layer : layers)
                for (Map.Entry<String, Tensor> each : adaptation.atTimesteps(layer, common).entrySet())
                    feeds.put(prefix(i) + layer.name() + "." + each.getKey(), OnnxSession.Feed.of(each.getValue()));
        }
        for (float timestep : timesteps)
            if (!feeds.isEmpty() && timestep != common[0])
                throw new IllegalArgumentException("timesteps: expected one for the whole batch with an adapter that "
                        + "depends on it, found " + Arrays.toString(timesteps));
        return feeds;
    }

    private static String weightInput(int i) {
        return "adapter" + i + ".weight";
    }

    private static String prefix(int i) {
        return "adapter" + i + "/";
    }

    /// The parameters of these adapters that are inputs of the graph.
    Map<String, OnnxTensor> persistentInputs(OnnxRuntime runtime, List<WeightedAdapter> adapters,
            Set<String> inputNames) throws Failure {
        List<Adapter> used = adapters.stream().map(WeightedAdapter::adapter).toList();
        tensors.entrySet().removeIf(entry -> {
            boolean unused = used.stream().noneMatch(adapter -> adapter == entry.getKey());
            if (unused) entry.getValue().values().forEach(OnnxTensor::close);
            return unused;
        });
        Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
        for (int i = 0; i < used.size(); i++) {
            Map<String, OnnxTensor> adapterTensors = tensors.computeIfAbsent(used.get(i),
                    adapter -> new LinkedHashMap<>());
            for (String key : used.get(i).parameters().keySet()) {
                if (inputNames.contains(prefix(i) + key))
                    inputs.put(prefix(i) + key, tensor(runtime, used.get(i), key, adapterTensors));
            }
        }
        return inputs;
    }

    private static OnnxTensor tensor(OnnxRuntime runtime, Adapter adapter, String key, Map<String, OnnxTensor> cache)
            throws Failure {
        OnnxTensor tensor = cache.get(key);
        if (tensor != null) return tensor;
        try {
            tensor = OnnxSession.Feed.of(adapter.parameters().get(key)).createTensor(runtime.environment());
        } catch (OrtException e) {
            throw OnnxRuntime.failure(e, "adapter " + adapter.name());
        }
        cache.put(key, tensor);
        return tensor;
    }

    @Override
    public void close() {
        tensors.values().forEach(adapterTensors -> adapterTensors.values().forEach(OnnxTensor::close));
        tensors.clear();
    }
}

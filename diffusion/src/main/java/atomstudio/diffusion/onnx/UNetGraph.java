package atomstudio.diffusion.onnx;

import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The UNet as a graph, with adapters over it. What goes in and comes out is float32, and so is all that adapters
/// compute; within, the network may compute in float16.
record UNetGraph(UNet unet, Checkpoint checkpoint, UNetGraphOptions options, Graph graph) {
    /// @param halfMode how 16-bit weights get in
    /// @param graphOptions of the network's operators, and of the type that weights and activations have
    record UNetGraphOptions(GraphWeights.HalfWeightsMode halfMode, GraphOps.GraphOptions graphOptions) {
        ElementType elementType() {
            return graphOptions.elementType();
        }
    }

    record Inputs(Shape latents, Shape features, Shape context) {}

    UNetGraph(UNet unet, Checkpoint checkpoint, UNetGraphOptions plan) {
        this(unet, checkpoint, plan, new Graph());
    }

    /// @param adaptations of the adapters whose numbers are inputs
    /// @param weightInputs  keys of the weights that are inputs
    /// @return what the network says, in float32
    Graph.Value build(Inputs inputs, List<Adaptation> adaptations, Set<String> weightInputs) {
        GraphOps ops = new GraphOps(graph, options.graphOptions);
        Graph.Value output = unet.forward(ops, OnnxEngine.memoized(weights(adaptations, weightInputs)),
                input(ops, "latents", inputs.latents), input(ops, "features", inputs.features),
                input(ops, "context", inputs.context));
        return options.elementType() == ElementType.FLOAT ? output : graph.cast(output, ElementType.FLOAT);
    }

    private Graph.Value input(GraphOps ops, String name, Shape shape) {
        return cast(ops.input(name, shape));
    }

    private Graph.Value cast(Graph.Value value) {
        return options.elementType() == ElementType.FLOAT ? value : graph.cast(value, options.elementType());
    }

    private WeightSource<Graph.Value> weights(List<Adaptation> adaptations, Set<String> weightInputs) {
        GraphWeights fullWeights = new GraphWeights(graph, checkpoint, options.halfMode, ElementType.FLOAT);
        GraphOps fullOps = new GraphOps(graph);
        WeightSource<Graph.Value> adapted = AdapterInputs.adapted(graph, fullOps,
                FusedWeights.withWeightInputs(graph, fullWeights, weightInputs), adaptations);
        if (options.elementType() == ElementType.FLOAT) return adapted;
        GraphWeights halfWeights = new GraphWeights(graph, checkpoint, options.halfMode, options.elementType());
        return layer -> {
            boolean isChanged = weightInputs.contains(layer.weightKey())
                    || adaptations.stream().anyMatch(adaptation -> !adaptation.parameterShapes(layer).isEmpty());
            if (!isChanged) return halfWeights.get(layer);
            LayerWeights<Graph.Value> changedLayer = adapted.get(layer).materialized(fullOps);
            Graph.@Nullable Value bias = changedLayer.bias();
            return new LayerWeights<>(cast(changedLayer.weight()), bias == null ? null : cast(bias));
        };
    }
}

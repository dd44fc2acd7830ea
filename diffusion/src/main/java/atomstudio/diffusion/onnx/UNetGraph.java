package atomstudio.diffusion.onnx;

import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.onnx.FusedWeights.ChangedWeights;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerCall;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The graph of the UNet with adapters. Inputs, output and adapter computations are float32; the network itself may
/// compute in float16.
/// @param halfMode how 16-bit weights enter the graph
record UNetGraph(UNet unet, Checkpoint checkpoint, GraphOptions options, GraphWeights.HalfWeightsMode halfMode,
        Graph graph) {
    UNetGraph(UNet unet, Checkpoint checkpoint, GraphOptions options, GraphWeights.HalfWeightsMode halfMode) {
        this(unet, checkpoint, options, halfMode, new Graph());
    }

    /// @param adaptations of the adapters whose parameters are inputs
    /// @param changed weights with adapters fused in
    /// @return the network's prediction in float32
    Graph.Value build(Shape latents, Shape context, List<Adaptation> adaptations, ChangedWeights changed) {
        GraphOps ops = new GraphOps(graph, options);
        Shape timeFeatures = Shape.of(latents.size(0), unet.timeProjection().dim());
        Graph.Value output = unet.forward(ops, memoized(weights(adaptations, changed)),
                cast(ops.input("latents", latents)), cast(ops.input("time_features", timeFeatures)),
                cast(ops.input("context", context)));
        return options.elementType() == ElementType.FLOAT ? output : graph.cast(output, ElementType.FLOAT);
    }

    private Graph.Value cast(Graph.Value value) {
        return options.elementType() == ElementType.FLOAT ? value : graph.cast(value, options.elementType());
    }

    private WeightSource<Graph.Value> weights(List<Adaptation> adaptations, ChangedWeights changed) {
        GraphWeights fullWeights = new GraphWeights(graph, checkpoint, halfMode, ElementType.FLOAT);
        GraphOps fullOps = new GraphOps(graph);
        WeightSource<Graph.Value> adapted = AdapterInputs.adapted(fullOps,
                FusedWeights.withChanges(graph, fullWeights, changed), adaptations);
        if (options.elementType() == ElementType.FLOAT) return adapted;
        return new HalfPrecision(new GraphWeights(graph, checkpoint, halfMode, options.elementType()), adapted,
                layer -> changed.keys().contains(layer.weightKey())
                        || adaptations.stream().anyMatch(adaptation -> adaptation.changes(layer)),
                layer -> adaptations.stream().anyMatch(adaptation -> adaptation.addsBranch(layer)));
    }

    /// Changed layers and branches are computed in float32, and their results converted.
    private final class HalfPrecision implements WeightSource<Graph.Value> {
        private final GraphWeights weights;
        private final WeightSource<Graph.Value> adapted;
        private final Predicate<Layer> isChanged;
        private final Predicate<Layer> hasBranch;

        HalfPrecision(GraphWeights weights, WeightSource<Graph.Value> adapted, Predicate<Layer> isChanged,
                Predicate<Layer> hasBranch) {
            this.weights = weights;
            this.adapted = adapted;
            this.isChanged = isChanged;
            this.hasBranch = hasBranch;
        }

        @Override
        public LayerWeights<Graph.Value> get(Layer layer) {
            if (!isChanged.test(layer)) return weights.get(layer);
            LayerWeights<Graph.Value> full = adapted.get(layer).materialized(new GraphOps(graph));
            Graph.@Nullable Value bias = full.bias();
            return new LayerWeights<>(cast(full.weight()), bias == null ? null : cast(bias));
        }

        @Override
        public Optional<Graph.Value> branch(LayerCall<Graph.Value> call) {
            return hasBranch.test(call.layer())
                    ? adapted.branch(new LayerCall<>(call.layer(), full(call.sublayerInput()), full(call.input()),
                            full(call.output()))).map(UNetGraph.this::cast)
                    : Optional.empty();
        }

        private Graph.Value full(Graph.Value value) {
            return graph.cast(value, ElementType.FLOAT);
        }
    }

    /// Each layer once: the chunks of a feed-forward block request their layers again.
    private static WeightSource<Graph.Value> memoized(WeightSource<Graph.Value> layers) {
        Map<String, LayerWeights<Graph.Value>> cache = new HashMap<>();
        return new WeightSource<>() {
            @Override
            public LayerWeights<Graph.Value> get(Layer layer) {
                return cache.computeIfAbsent(layer.name(), name -> layers.get(layer));
            }

            @Override
            public Optional<Graph.Value> branch(LayerCall<Graph.Value> call) {
                return layers.branch(call);
            }
        };
    }
}

package atomstudio.diffusion.onnx;

import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.onnx.Graph.Element;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The UNet as a graph, with adapters over it. What goes in and comes out is float32, and so is all that adapters compute; within, the network may
/// compute in float16.
record UNetGraph(UNet unet, Checkpoint checkpoint, Plan plan, Graph graph) {
    /// @param weights how 16-bit weights get in
    /// @param choice of the network's operators, and of the type that weights and activations have
    record Plan(GraphWeights.Half weights, GraphOps.Choice choice) {
        Element element() {
            return choice.element();
        }
    }

    record Inputs(Shape latents, Shape features, Shape context) {}

    UNetGraph(UNet unet, Checkpoint checkpoint, Plan plan) {
        this(unet, checkpoint, plan, new Graph());
    }

    /// @param forms of the adapters whose numbers are inputs
    /// @param open  keys of the weights that are inputs
    /// @return what the network says, in float32
    Value write(Inputs inputs, List<Adaptation> forms, Set<String> open) {
        GraphOps ops = new GraphOps(graph, plan.choice);
        Value output = unet.forward(ops, OnnxEngine.remembering(weights(forms, open)), entering(ops, "latents", inputs.latents), entering(ops, "features", inputs.features), entering(ops, "context", inputs.context));
        return plan.element() == Element.FLOAT ? output : graph.cast(output, Element.FLOAT);
    }

    private Value entering(GraphOps ops, String name, Shape shape) {
        return cast(ops.entering(name, shape));
    }

    private Value cast(Value value) {
        return plan.element() == Element.FLOAT ? value : graph.cast(value, plan.element());
    }

    private Layers<Value> weights(List<Adaptation> forms, Set<String> open) {
        GraphWeights plain = new GraphWeights(graph, checkpoint, plan.weights, Element.FLOAT);
        GraphOps full = new GraphOps(graph);
        Layers<Value> adapted = AdapterInputs.over(graph, full, FoldedWeights.open(graph, plain, open), forms);
        if (plan.element() == Element.FLOAT) return adapted;
        GraphWeights half = new GraphWeights(graph, checkpoint, plan.weights, plan.element());
        return layer -> {
            boolean changed = open.contains(layer.weightKey()) || forms.stream().anyMatch(form -> !form.shapes(layer).isEmpty());
            if (!changed) return half.get(layer);
            Affine<Value> tuned = adapted.get(layer).settled(full);
            @Nullable Value bias = tuned.bias();
            return new Affine<>(cast(tuned.weight()), bias == null ? null : cast(bias));
        };
    }
}

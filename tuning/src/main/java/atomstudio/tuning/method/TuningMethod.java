package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A way to tune a network with few numbers: which layers, which numbers, and how these change a layer's weight. The
/// law of the family: at the start nothing is changed; at strength s the weight is base + s · (tuned − base); every
/// trained slot has a gradient at a random point; all carriers agree. An option that changes the algebra is another
/// record.
public sealed interface TuningMethod extends Adaptation permits
        FilterAtoms, SparseAtoms, OvercompleteAtoms, ChannelAtoms, Lora, Loha, Lokr, Oft, Dora, BitFit, NormOnly, Ssf,
        DiffFit, Glora, TextualInversion, FullFineTuning, RestrictedMethod, CombinedMethods {
    /// What is allocated for a layer; empty where the layer is left alone.
    List<ParameterSpec> parameterSpecs(Layer layer);

    /// On the command line and in adapter files.
    String name();

    /// The part of a sum that tunes this layer; any other method is its own.
    default TuningMethod methodFor(Layer layer) {
        return this;
    }

    default boolean tunes(Layer layer) {
        return !parameterSpecs(layer).isEmpty();
    }

    @Override
    default Map<String, Shape> parameterShapes(Layer layer) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (ParameterSpec slot : parameterSpecs(layer)) shapes.put(slot.name(), slot.shape());
        return shapes;
    }

    /// Shapes of what is stored of a layer: all but what is derived.
    default Map<String, Shape> storedShapes(Layer layer) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (ParameterSpec slot : parameterSpecs(layer))
            if (slot.role() != ParameterSpec.Role.DERIVED) shapes.put(slot.name(), slot.shape());
        return shapes;
    }

    /// Whether it would tune the layer, were its sides multiples of the method's blocks.
    default boolean skipsIndivisible(Layer layer) {
        return false;
    }

    /// Numbers that training changes in these layers.
    default long parameterCount(Collection<Layer> layers) {
        return layers.stream()
                .flatMap(layer -> parameterSpecs(layer).stream())
                .filter(ParameterSpec::trained)
                .mapToLong(slot -> slot.shape().elements())
                .sum();
    }
}

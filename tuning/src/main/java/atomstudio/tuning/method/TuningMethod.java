package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A way to tune a network with few numbers: which layers, which numbers, and how these change a layer's weight.
/// The law of the family: at the start nothing is changed; at strength s the weight is base + s · (tuned − base); every trained
/// slot has a gradient at a random point; all carriers agree. An option that changes the algebra is another record.
public sealed interface TuningMethod extends Adaptation permits
        FilterAtoms, SparseAtoms, OvercompleteAtoms, ChannelAtoms, Lora, Loha, Lokr, Oft, Dora, BitFit, NormOnly, Ssf, DiffFit, Glora, TextualInversion, Full, On, Sum {
    /// What is allocated for a layer; empty where the layer is left alone.
    List<Slot> slots(Layer layer);

    /// On the command line and in adapter files.
    String name();

    /// The part of a sum that tunes this layer; any other method is its own.
    default TuningMethod part(Layer layer) {
        return this;
    }

    default boolean tunes(Layer layer) {
        return !slots(layer).isEmpty();
    }

    @Override default Map<String, Shape> parameterShapes(Layer layer) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (Slot slot : slots(layer)) shapes.put(slot.name(), slot.shape());
        return shapes;
    }

    /// Shapes of what is stored of a layer: all but what is derived.
    default Map<String, Shape> stored(Layer layer) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (Slot slot : slots(layer)) if (slot.role() != Slot.Role.DERIVED) shapes.put(slot.name(), slot.shape());
        return shapes;
    }

    /// Whether it would tune the layer, were its sides multiples of the method's blocks.
    default boolean leavesAlone(Layer layer) {
        return false;
    }

    /// Numbers that training changes in these layers.
    default long numbers(Collection<Layer> layers) {
        return layers.stream().flatMap(layer -> slots(layer).stream()).filter(Slot::trained).mapToLong(slot -> slot.shape().elements()).sum();
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A parameter-efficient fine-tuning method: which layers it targets, which parameters it adds, and how these change a
/// layer's weight. The contract of all methods: at initialization nothing changes; at adapter weight s the layer has
/// the weight base + s · (adapted − base); every trained parameter has a gradient at a random point; all backends
/// agree. A setting that changes the algebra is another record. [MethodName] lists the methods.
public interface TuningMethod extends Adaptation {
    /// The parameters of a layer; empty where the method does not target it.
    List<ParameterSpec> parameterSpecs(Layer layer);

    /// The name on the command line and in adapter files.
    String name();

    /// The method that targets this layer: one of several combined methods, or this method itself.
    default TuningMethod methodFor(Layer layer) {
        return this;
    }

    /// The method whose parameters a training step changes, with the same parameters as this one.
    default TuningMethod atStep(long seed, int step) {
        return this;
    }

    /// Whether it adds branches and changes no weight ([Adaptation#isBranch]).
    default boolean isBranch() { return false; }

    default boolean tunes(Layer layer) {
        return !parameterSpecs(layer).isEmpty();
    }

    @Override
    default Map<String, Shape> parameterShapes(Layer layer) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (ParameterSpec spec : parameterSpecs(layer)) shapes.put(spec.name(), spec.shape());
        return shapes;
    }

    /// Shapes of the parameters that files store: all but the derived ones.
    default Map<String, Shape> storedShapes(Layer layer) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (ParameterSpec spec : parameterSpecs(layer))
            if (spec.role() != ParameterSpec.Role.DERIVED) shapes.put(spec.name(), spec.shape());
        return shapes;
    }

    /// Whether the layer is skipped only because its sides are not multiples of the method's blocks.
    default boolean skipsIndivisible(Layer layer) {
        return false;
    }

    /// Number of trainable parameters in these layers.
    default long parameterCount(Collection<Layer> layers) {
        return layers.stream()
                .flatMap(layer -> parameterSpecs(layer).stream())
                .filter(ParameterSpec::isTrained)
                .mapToLong(spec -> spec.shape().elements())
                .sum();
    }
}

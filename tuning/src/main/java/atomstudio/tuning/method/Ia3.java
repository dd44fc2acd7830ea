package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// IA³: learned scales l of activations, started at 1. Outputs are scaled, l ⊙ (W x + b), by default of keys and
/// values; the inputs of the last layer of a feed-forward block, W (l ⊙ x) + b. On a convolution it is a scale per
/// output channel, as in peft.
/// Source: Liu et al. 2022, "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning",
/// section 3.3.
public record Ia3() implements TuningMethod {
    private static final String FEED_FORWARD = "ff.net.2";

    @Override
    public String name() {
        return "ia3";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return layer.isProjection() ? List.of(ParameterSpec.ones("l", Shape.of(layer.weightShape().size(axis(layer)))))
                : List.of();
    }

    /// The side of the layer that is scaled.
    public static Oft.Side side(Layer layer) {
        return layer.kind() == Layer.Kind.LINEAR && layer.name().endsWith(FEED_FORWARD) ? Oft.Side.INPUT
                : Oft.Side.OUTPUT;
    }

    private static int axis(Layer layer) {
        return side(layer) == Oft.Side.OUTPUT ? 0 : 1;
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T l = parameters.get("l");
        long[] sizes = new long[layer.weightShape().rank()];
        for (int axis = 0; axis < sizes.length; axis++)
            sizes[axis] = axis == axis(layer) ? layer.weightShape().size(axis) : 1;
        T scaled = ops.multiply(base.weight(), ops.reshape(l, Shape.of(sizes)));
        T weight = ScaledDelta.interpolate(ops, base.weight(), scaled, adapterWeight);
        if (base.bias() == null || side(layer) == Oft.Side.INPUT) return new LayerWeights<>(weight, base.bias());
        T bias = ScaledDelta.interpolate(ops, base.bias(), ops.multiply(base.bias(), l), adapterWeight);
        return new LayerWeights<>(weight, bias);
    }
}

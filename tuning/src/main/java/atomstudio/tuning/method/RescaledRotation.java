package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;

/// OFT or BOFT with a trained scale of each output, started at 1: s ⊙ (rotated W). The bias is not scaled.
/// Source: LyCORIS' OFT and BOFT with `rescaled`; peft's BOFT, which always has the scale.
public record RescaledRotation(TuningMethod rotation) implements TuningMethod {
    public static final String SCALE = "scale";

    /// The rotation of a method, with or without a scale.
    public static TuningMethod rotation(TuningMethod method) {
        return method instanceof RescaledRotation rescaled ? rescaled.rotation : method;
    }

    @Override
    public String name() {
        return rotation.name();
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        List<ParameterSpec> specs = rotation.parameterSpecs(layer);
        return specs.isEmpty() ? specs
                : Stream.concat(specs.stream(), Stream.of(ParameterSpec.ones(SCALE, layer.biasShape()))).toList();
    }

    @Override
    public boolean skipsIndivisible(Layer layer) {
        return rotation.skipsIndivisible(layer);
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T one = ops.constant(Tensor.filled(Shape.of(1), 1));
        T rotated = rotation.effective(ops, layer, base, parameters, one).weight();
        long outputs = layer.weightShape().size(0);
        T scale = ops.reshape(parameters.get(SCALE),
                layer.weightShape().rank() == 4 ? Shape.of(outputs, 1, 1, 1) : Shape.of(outputs, 1));
        T weight = ScaledDelta.interpolate(ops, base.weight(), ops.multiply(rotated, scale), adapterWeight);
        return new LayerWeights<>(weight, base.bias());
    }
}

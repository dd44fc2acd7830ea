package atomstudio.tuning.interop;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adaptation.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.Ia3;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.Oft;
import atomstudio.tuning.method.ScaledDelta;
import atomstudio.tuning.method.TuningMethod;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// IA³: W ⊙ (1 + w) with w per output or per input channel. peft scales the bias with the outputs, LyCORIS does not.
/// Source: Liu et al. 2022, "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning".
record ChannelScale(Oft.Side side, boolean scalesBias) implements Adaptation {
    static final String LYCORIS = "weight";
    static final String PEFT = "ia3_l";
    /// LyCORIS' marker: 1 for inputs. peft's configuration has it for convolutions.
    static final String ON_INPUT = "on_input";

    static LayerDelta read(Layer layer, LayerTensors tensors) {
        boolean isPeft = tensors.has(PEFT);
        Tensor scale = tensors.get(isPeft ? PEFT : LYCORIS);
        Oft.Side side = side(layer, tensors, scale.shape());
        Tensor w = FactorMath.reshape(scale, Shape.of(channels(layer, side)), isPeft ? PEFT : LYCORIS)
                .map(value -> isPeft ? value - 1 : value);
        return new LayerDelta(new ChannelScale(side, isPeft && side == Oft.Side.OUTPUT), Map.of("w", w));
    }

    /// peft's form.
    static Map<String, Tensor> write(Layer layer, TuningMethod method, Adaptation.AdapterParameters<Tensor> values) {
        if (!(method instanceof Ia3)) return Map.of();
        Tensor l = values.get("l");
        long count = l.shape().elements();
        return Map.of(PEFT, l.reshape(layer.weightShape().rank() == 4 ? Shape.of(1, count, 1, 1)
                : Ia3.side(layer) == Oft.Side.OUTPUT ? Shape.of(count, 1) : Shape.of(1, count)));
    }

    static MethodSettings trained(TrainedLayers layers) {
        layers.layers().forEach((name, layer) -> layers.put(name, "l", TrainedLayers.named(name, () -> {
            LayerDelta delta = layers.delta(name);
            return ((ChannelScale) delta.adaptation()).trained(layer, delta.values());
        })));
        return new MethodSettings(MethodName.IA3, layers.layerSetting());
    }

    private Tensor trained(Layer layer, Map<String, Tensor> values) {
        boolean scalesOutputs = side == Oft.Side.OUTPUT;
        boolean hasOtherBias = layer.hasBias() && scalesBias != scalesOutputs;
        if (side != Ia3.side(layer) || hasOtherBias)
            throw new IllegalArgumentException("scales " + (scalesOutputs ? "outputs" : "inputs")
                    + (hasOtherBias ? " without the bias" : "") + ", method ia3 scales the "
                    + (Ia3.side(layer) == Oft.Side.OUTPUT ? "outputs with the bias" : "inputs") + " of this layer");
        return values.get("w").map(w -> w + 1);
    }

    private static Oft.Side side(Layer layer, LayerTensors tensors, Shape shape) {
        if (!layer.isProjection())
            throw new IllegalArgumentException("expected a convolution or a linear layer, found " + layer.kind());
        double marker = tensors.number(ON_INPUT, -1);
        if (!tensors.has(PEFT) && marker < 0)
            throw new IllegalArgumentException("has " + LYCORIS + " and no " + ON_INPUT);
        if (marker >= 0) return marker == 0 ? Oft.Side.OUTPUT : Oft.Side.INPUT;
        long outputs = layer.weightShape().size(0), inputs = layer.weightShape().size(1);
        boolean isColumn = shape.rank() == 2 && shape.size(1) == 1; // (outputs, 1) of a linear layer
        if (shape.rank() == 4 && outputs == inputs)
            throw new IllegalArgumentException(
                    PEFT + ": expected feedforward_modules in adapter_config.json, which "
                            + "states whether the " + outputs + " scales are of outputs or of inputs");
        return isColumn || shape.rank() == 4 && shape.elements() == outputs ? Oft.Side.OUTPUT : Oft.Side.INPUT;
    }

    private static long channels(Layer layer, Oft.Side side) {
        return layer.weightShape().size(side == Oft.Side.OUTPUT ? 0 : 1);
    }

    @Override
    public Map<String, Shape> parameterShapes(Layer layer) {
        return Map.of("w", Shape.of(channels(layer, side)));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T w = parameters.get("w");
        long channels = channels(layer, side);
        long[] sizes = new long[layer.weightShape().rank()];
        for (int axis = 0; axis < sizes.length; axis++)
            sizes[axis] = axis == (side == Oft.Side.OUTPUT ? 0 : 1) ? channels : 1;
        T delta = ops.multiply(base.weight(), ops.reshape(w, Shape.of(sizes)));
        @Nullable T bias = base.bias();
        if (scalesBias && bias != null) bias = ScaledDelta.add(ops, bias, ops.multiply(bias, w), adapterWeight);
        return new LayerWeights<>(ScaledDelta.add(ops, base.weight(), delta, adapterWeight), bias);
    }
}

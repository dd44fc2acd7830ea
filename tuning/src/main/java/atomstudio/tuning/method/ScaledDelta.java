package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Adaptation.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Changes of a layer at adapter weight s: W + s · (W_θ − W), W + s · ΔW and b + s · Δb.
public final class ScaledDelta {
    private ScaledDelta() {}

    /// base + s · (adapted − base).
    public static <T> T interpolate(Ops<T> ops, T base, T adapted, T adapterWeight) {
        return add(ops, base, ops.add(adapted, ops.scale(base, -1)), adapterWeight);
    }

    /// base + s · delta.
    public static <T> T add(Ops<T> ops, T base, T delta, T adapterWeight) {
        return ops.add(base, ops.multiply(delta, adapterWeight));
    }

    /// b + s · delta, or s · delta for a layer without bias.
    public static <T> T addBias(Ops<T> ops, @Nullable T bias, T delta, T adapterWeight) {
        return bias == null ? ops.multiply(delta, adapterWeight) : add(ops, bias, delta, adapterWeight);
    }

    /// W + deltaW, reshaped to the weight; s is already applied.
    public static <T> LayerWeights<T> addToWeight(Ops<T> ops, Layer layer, LayerWeights<T> base, T deltaW) {
        return new LayerWeights<>(ops.add(base.weight(), ops.reshape(deltaW, layer.weightShape())), base.bias());
    }

    /// Trained parameters `weight` and, where the layer has a bias, `bias`, both zero.
    static List<ParameterSpec> weightAndBiasSpecs(Layer layer) {
        return Stream.concat(Stream.of(ParameterSpec.zeros("weight", layer.weightShape())), biasSpecs(layer).stream())
                .toList();
    }

    /// The trained parameter `bias`, zero, where the layer has a bias.
    static List<ParameterSpec> biasSpecs(Layer layer) {
        return layer.hasBias() ? List.of(ParameterSpec.zeros("bias", layer.biasShape())) : List.of();
    }

    /// W + s · `weight`, b + s · `bias`.
    static <T> LayerWeights<T> addWeightAndBias(Ops<T> ops, Layer layer, LayerWeights<T> base,
            AdapterParameters<T> parameters, T adapterWeight) {
        T weight = add(ops, base.weight(), parameters.get("weight"), adapterWeight);
        return addBias(ops, layer, new LayerWeights<>(weight, base.bias()), parameters, adapterWeight);
    }

    /// b + s · `bias`, where the layer has a bias.
    static <T> LayerWeights<T> addBias(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        if (!layer.hasBias()) return base;
        T bias = addBias(ops, base.bias(), parameters.get("bias"), adapterWeight);
        return new LayerWeights<>(base.weight(), bias);
    }
}

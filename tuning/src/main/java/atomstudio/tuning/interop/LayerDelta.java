package atomstudio.tuning.interop;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adaptation.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.BitFit;
import atomstudio.tuning.method.Dora;
import atomstudio.tuning.method.FullFineTuning;
import atomstudio.tuning.method.Loha;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.NormOnly;
import atomstudio.tuning.method.ScaledDelta;
import atomstudio.tuning.method.TuningMethod;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// The change of one layer by an adapter of another program: the formula and its parameters by name, with the file's
/// scale factors multiplied in.
/// Source: LyCORIS, docs/Algo-Details.md and its modules' state dictionaries; the scale is α/r, or 1 if a file has no
/// α.
public record LayerDelta(Adaptation adaptation, Map<String, Tensor> values) {
    /// @param tensors of the layer, by [AdapterTensorKey#parameter]
    /// @throws IllegalArgumentException if they do not fit the layer
    public static LayerDelta of(Layer layer, Map<String, Tensor> tensors) {
        LayerTensors layerTensors = new LayerTensors(tensors);
        Optional<LayerDelta> weight = AdapterKind.read(layer, layerTensors);
        if (layerTensors.hasAny(AdapterKind.MAGNITUDES)) weight = Optional.of(decomposed(layer, layerTensors, weight));
        if (!layerTensors.has(AdapterKind.DIFF_BIAS))
            return weight.orElseThrow(() -> new IllegalArgumentException(
                    "has " + new TreeSet<>(tensors.keySet()) + " and no parameters that change it"));
        Map<String, Tensor> values = new HashMap<>(weight.map(LayerDelta::values).orElse(Map.of()));
        values.put("bias", layerTensors.get(AdapterKind.DIFF_BIAS, layer.biasShape()));
        return new LayerDelta(new BiasDiff(weight.map(LayerDelta::adaptation)), values);
    }

    /// DoRA of another change. LyCORIS' magnitudes are of outputs (Co, 1, …) or of inputs (1, Ci, …), peft's of
    /// outputs.
    private static LayerDelta decomposed(Layer layer, LayerTensors tensors, Optional<LayerDelta> update) {
        if (update.isEmpty() || !layer.isProjection())
            throw new IllegalArgumentException(
                    "has " + new TreeSet<>(tensors.byName().keySet()) + " and no change of a weight to decompose");
        boolean isPeft = tensors.has(AdapterKind.PEFT_MAGNITUDE);
        String name = isPeft ? AdapterKind.PEFT_MAGNITUDE : AdapterKind.MAGNITUDE;
        Shape shape = tensors.get(name).shape();
        int axis = isPeft || shape.rank() == 1 || shape.elements() == shape.size(0) ? 0 : 1;
        Map<String, Tensor> values = new HashMap<>(update.get().values);
        values.put("magnitude", tensors.get(name, Shape.of(layer.weightShape().size(axis))));
        return new LayerDelta(new Decomposed(update.get().adaptation, axis), values);
    }

    static LayerDelta fullDiff(Layer layer, LayerTensors tensors) {
        return new LayerDelta(new WeightDiff(), Map.of("weight", tensors.get(AdapterKind.DIFF, layer.weightShape())));
    }

    /// Of norms, biases, and all weights. A bias alone has no weight beside it.
    static Map<String, Tensor> writeDiff(Layer layer, TuningMethod method, AdapterParameters<Tensor> values) {
        boolean hasWeight = method instanceof NormOnly || method instanceof FullFineTuning;
        if (!hasWeight && !(method instanceof BitFit)) return Map.of();
        boolean isNorm = layer.kind() == Layer.Kind.NORM;
        Map<String, Tensor> tensors = new HashMap<>();
        if (hasWeight) tensors.put(isNorm ? AdapterKind.NORM_DIFF : AdapterKind.DIFF, values.get("weight"));
        if (layer.hasBias())
            tensors.put(isNorm ? AdapterKind.NORM_DIFF_BIAS : AdapterKind.DIFF_BIAS, values.get("bias"));
        if (isNorm && !hasWeight) tensors.put(AdapterKind.NORM_DIFF, Tensor.zeros(layer.weightShape()));
        return tensors;
    }

    /// Missing diffs of a bias or a weight are zero, as are the weights that files have beside biases for some
    /// programs.
    static MethodSettings trainedDiff(TrainedLayers layers) {
        boolean biasesOnly = layers.layers().keySet().stream().allMatch(name -> {
            Tensor weight = layers.delta(name).values().get("weight");
            return weight == null || weight.squaredNorm() == 0;
        });
        layers.layers().forEach((name, layer) -> {
            Map<String, Tensor> delta = layers.delta(name).values();
            if (!biasesOnly)
                layers.put(name, "weight", delta.getOrDefault("weight", Tensor.zeros(layer.weightShape())));
            if (layer.hasBias()) layers.put(name, "bias", delta.getOrDefault("bias", Tensor.zeros(layer.biasShape())));
            else
                if (delta.containsKey("bias"))
                    throw new IllegalArgumentException(TrainedLayers.DOES_NOT_FIT + name + " has no bias in the model");
        });
        boolean normsOnly = layers.layers().values().stream().allMatch(layer -> layer.kind() == Layer.Kind.NORM);
        return new MethodSettings(biasesOnly ? MethodName.BITFIT : normsOnly ? MethodName.NORM : MethodName.FULL,
                layers.layerSetting());
    }

    static LayerDelta hadamard(Layer layer, LayerTensors tensors) {
        Tensor[] first = factorPair(layer, tensors, "hada_w1_a", "hada_w1_b", "hada_t1");
        Tensor[] second = factorPair(layer, tensors, "hada_w2_a", "hada_w2_b", "hada_t2");
        long rank = first[1].shape().size(0);
        if (second[1].shape().size(0) != rank)
            throw new IllegalArgumentException(
                    "expected factors of equal rank, found " + first[1].shape() + " and " + second[1].shape());
        Tensor scaled = second[0].scaled(tensors.scale(rank));
        return new LayerDelta(new Loha(Math.toIntExact(rank), rank),
                Map.of("w1a", first[0], "w1b", first[1], "w2a", scaled, "w2b", second[1]));
    }

    static Map<String, Tensor> writeHadamard(Layer layer, TuningMethod method, AdapterParameters<Tensor> values) {
        if (!(method instanceof Loha loha)) return Map.of();
        return Map.of("hada_w1_a", values.get("w1a"), "hada_w1_b", values.get("w1b"), "hada_w2_a", values.get("w2a"),
                "hada_w2_b", values.get("w2b"), AdapterKind.ALPHA, AdapterKind.alpha(loha.alpha()));
    }

    /// (Co, r) and (r, Ci·k²).
    private static Tensor[] factorPair(Layer layer, LayerTensors tensors, String left, String right, String core) {
        Tensor a = tensors.get(left), b = tensors.get(right);
        if (tensors.has(core)) {
            a = FactorMath.transpose(a);
            b = FactorMath.contractCore(tensors.get(core), b);
        }
        long rank = b.shape().size(0);
        return new Tensor[] {FactorMath.reshape(a, Shape.of(layer.weightShape().size(0), rank), left),
                FactorMath.reshape(b, Shape.of(rank, layer.fanIn()), right)};
    }

    /// LoHa.
    static MethodSettings trainedHadamard(TrainedLayers layers) {
        layers.setCommonScale("hada_w1_b");
        layers.layers().keySet().forEach(name -> {
            layers.delta(name)
                    .values()
                    .forEach((parameter, value) -> layers.put(name, parameter,
                            parameter.equals("w2a") ? value.scaled(1 / layers.scale()) : value));
            layers.ranks().put(name, Math.toIntExact(layers.values().get(name + ".w1b").shape().size(0)));
        });
        return layers.ranked(MethodName.LOHA);
    }

    /// DoRA: the rows of W + ΔW along an axis, 0 for outputs and 1 for inputs, with new norms.
    /// Source: Liu et al. 2024, "DoRA", equation 5; inputs as in LyCORIS' `wd_on_output=False` and OneTrainer.
    record Decomposed(Adaptation update, int axis) implements Adaptation {
        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            Map<String, Shape> shapes = new HashMap<>(update.parameterShapes(layer));
            shapes.put("magnitude", Shape.of(layer.weightShape().size(axis)));
            return shapes;
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
                AdapterParameters<T> parameters, T adapterWeight) {
            T one = ops.constant(Tensor.filled(Shape.of(1), 1));
            T updated = update.effective(ops, layer, base, parameters, one).weight();
            T weight = Dora.withNorms(ops, layer, updated, parameters.get("magnitude"), axis);
            return new LayerWeights<>(ScaledDelta.interpolate(ops, base.weight(), weight, adapterWeight), base.bias());
        }
    }

    /// b + Δb, together with the weight's delta if there is one.
    record BiasDiff(Optional<Adaptation> weightDelta) implements Adaptation {
        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            Map<String, Shape> shapes = new HashMap<>(
                    weightDelta.map(delta -> delta.parameterShapes(layer)).orElse(Map.of()));
            shapes.put("bias", layer.biasShape());
            return shapes;
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
                AdapterParameters<T> parameters, T adapterWeight) {
            LayerWeights<T> adapted = weightDelta.isEmpty() ? base
                    : weightDelta.get().effective(ops, layer, base, parameters, adapterWeight);
            T bias = ScaledDelta.addBias(ops, adapted.bias(), parameters.get("bias"), adapterWeight);
            return new LayerWeights<>(adapted.weight(), bias);
        }
    }

    /// A formula per layer, by layer name, since ranks may differ.
    public record PerLayerAdaptation(Map<String, Adaptation> layers) implements Adaptation {
        public PerLayerAdaptation {
            layers = Map.copyOf(layers);
        }

        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            Adaptation adaptation = layers.get(layer.name());
            return adaptation == null ? Map.of() : adaptation.parameterShapes(layer);
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
                AdapterParameters<T> parameters, T adapterWeight) {
            Adaptation adaptation = layers.get(layer.name());
            return adaptation == null ? base : adaptation.effective(ops, layer, base, parameters, adapterWeight);
        }
    }

    /// W + ΔW with a full ΔW.
    record WeightDiff() implements Adaptation {
        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            return Map.of("weight", layer.weightShape());
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
                AdapterParameters<T> parameters, T adapterWeight) {
            T weight = ScaledDelta.add(ops, base.weight(), parameters.get("weight"), adapterWeight);
            return new LayerWeights<>(weight, base.bias());
        }
    }
}

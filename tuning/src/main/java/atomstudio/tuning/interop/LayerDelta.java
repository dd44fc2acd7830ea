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
import atomstudio.tuning.method.Glora;
import atomstudio.tuning.method.GloraPattern;
import atomstudio.tuning.method.GloraStructure;
import atomstudio.tuning.method.GloraTerms;
import atomstudio.tuning.method.Loha;
import atomstudio.tuning.method.NormOnly;
import atomstudio.tuning.method.Oft;
import atomstudio.tuning.method.ScaledDelta;
import atomstudio.tuning.method.TuningMethod;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// The change of one layer by an adapter of another program: the formula and its parameters by name, with the file's
/// scale factors multiplied in.
/// Source: LyCORIS, docs/Algo-Details.md and its modules' state dictionaries; the scale is α/r, or 1 if a file has no
/// α.
public record LayerDelta(Adaptation adaptation, Map<String, Tensor> values) {
    private static final String GLORA_TERM = "glora_";

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

    /// A rotation as methods `oft` and `boft` train it: R = (I + Q)(I − Q)⁻¹ of each block, then a scale of each
    /// output.
    /// @param q elements above the diagonals of Q, (stages, blocks, b(b−1)/2)
    public record TrainedRotation(Oft.Side side, int blockSize, Tensor q, Optional<Tensor> scale) {}

    /// Empty for other kinds.
    /// @throws IllegalArgumentException if the matrices are no rotations
    public Optional<TrainedRotation> rotation() {
        return adaptation instanceof Rotation rotation ? Optional.of(rotation.trained(values)) : Optional.empty();
    }

    /// The scale of IA³ as method `ia3` trains it; empty for other kinds.
    /// @throws IllegalArgumentException if the method scales something else in this layer
    public Optional<Tensor> channelScale(Layer layer) {
        return adaptation instanceof ChannelScale scale ? Optional.of(scale.trained(layer, values)) : Optional.empty();
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

    /// W · a1 · a2 + b1 · b2. In files of LyCORIS before 2.0, as A1111 reads them, the factors have the opposite order
    /// in both products.
    static LayerDelta glora(Layer layer, LayerTensors tensors) {
        Tensor a1 = tensors.get("a1.weight"), a2 = tensors.get("a2.weight");
        Tensor b1 = tensors.get("b1.weight"), b2 = tensors.get("b2.weight");
        long outputs = layer.weightShape().size(0), inputs = layer.weightShape().size(1);
        boolean isCurrent = a1.shape().size(0) == inputs && b1.shape().size(0) == outputs;
        boolean isOld = a2.shape().size(0) == inputs && b2.shape().size(0) == outputs && layer.kernelSize() == 1;
        if (!layer.isProjection() || !isCurrent && !isOld)
            throw new IllegalArgumentException("expected a1 and b1 with " + inputs + " and " + outputs
                    + " rows, found " + a1.shape() + " and " + b1.shape());
        if (!isCurrent) {
            Map<String, Tensor> swapped = new HashMap<>(tensors.byName());
            swapped.putAll(Map.of("a1.weight", a2, "a2.weight", a1, "b1.weight", b2, "b2.weight", b1));
            return glora(layer, new LayerTensors(swapped));
        }
        long rank = a2.shape().size(0);
        if (tensors.has("bm.weight")) b2 = FactorMath.contractCore(tensors.get("bm.weight"), b2);
        double scale = tensors.scale(rank);
        return new LayerDelta(new Glora(Math.toIntExact(rank), rank), Map.of(
                "a1", FactorMath.reshape(a1, Shape.of(inputs, rank), "a1.weight").scaled(scale),
                "a2", FactorMath.reshape(a2, Shape.of(rank, inputs), "a2.weight"),
                "b1", FactorMath.reshape(b1, Shape.of(outputs, rank), "b1.weight").scaled(scale),
                "b2", FactorMath.reshape(b2, layer.weightShape().with(0, rank), "b2.weight")));
    }

    static Map<String, Tensor> writeGlora(Layer layer, TuningMethod method, AdapterParameters<Tensor> values) {
        if (!(method instanceof Glora glora)) return Map.of();
        Map<String, Tensor> tensors = new HashMap<>();
        for (String factor : List.of("a1", "a2", "b1", "b2")) {
            Tensor value = values.get(factor);
            boolean isPoint = layer.weightShape().rank() == 4 && value.shape().rank() == 2;
            tensors.put(factor + ".weight", isPoint
                    ? value.reshape(Shape.of(value.shape().size(0), value.shape().size(1), 1, 1))
                    : value);
        }
        tensors.put(AdapterKind.ALPHA, AdapterKind.alpha(glora.alpha()));
        return tensors;
    }

    /// GLoRA of peft: each term a product `Xd` · `Xu`, a vector or a scalar `X`, or nothing (`zeros`).
    static LayerDelta gloraTerms(Layer layer, LayerTensors tensors) {
        if (!layer.isProjection())
            throw new IllegalArgumentException("expected a convolution or a linear layer, found " + layer.kind());
        Map<String, Tensor> values = new HashMap<>();
        List<GloraStructure.Form> forms = new ArrayList<>();
        int rank = 1;
        for (String term : List.of("A", "B", "C", "D", "E")) {
            String prefix = GLORA_TERM + term + ".";
            long rows = term.equals("C") ? layer.fanIn() : layer.weightShape().size(0);
            if (tensors.has(prefix + "Xd")) {
                Tensor down = tensors.get(prefix + "Xd");
                rank = Math.toIntExact(down.shape().elements() / rows);
                values.put(term + "d", FactorMath.reshape(down, Shape.of(rows, rank), prefix + "Xd"));
                values.put(term + "u",
                        tensors.get(prefix + "Xu", Shape.of(rank, term.equals("C") ? 1 : layer.fanIn())));
                forms.add(GloraStructure.Form.LOW_RANK);
            } else if (tensors.has(prefix + "X")) {
                boolean isScalar = tensors.get(prefix + "X").shape().elements() == 1;
                values.put(term, tensors.get(prefix + "X", Shape.of(isScalar ? 1 : rows)));
                forms.add(isScalar ? GloraStructure.Form.SCALAR : GloraStructure.Form.VECTOR);
            } else forms.add(GloraStructure.Form.NONE);
        }
        GloraStructure structure = new GloraStructure(forms.get(0), forms.get(1), forms.get(2), forms.get(3),
                forms.get(4));
        return new LayerDelta(new GloraTerms(rank, GloraPattern.ofAll(structure)), values);
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

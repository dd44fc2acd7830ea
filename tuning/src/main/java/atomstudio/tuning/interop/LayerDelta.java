package atomstudio.tuning.interop;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.Loha;
import atomstudio.tuning.method.Lokr;
import atomstudio.tuning.method.ScaledDelta;
import java.util.Collection;
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
    static final String DOWN = "down";
    static final String UP = "up";
    static final String MID = "mid";
    static final String ALPHA = "alpha";
    static final String DIFF = "diff";
    static final String DIFF_BIAS = "diff_b";
    /// Parameters that keep their names in files: LoHa's and LoKr's.
    static final List<String> VERBATIM_NAMES = List.of("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1",
            "hada_t2", "lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2");

    /// @param tensors of the layer, by [AdapterTensorKey#parameter]
    /// @throws IllegalArgumentException if they do not fit the layer
    public static LayerDelta of(Layer layer, Map<String, Tensor> tensors) {
        LayerTensors layerTensors = new LayerTensors(tensors);
        Optional<LayerDelta> weight = AdapterKind.read(layer, layerTensors);
        if (!layerTensors.has(DIFF_BIAS))
            return weight.orElseThrow(() -> new IllegalArgumentException(
                    "has " + new TreeSet<>(tensors.keySet()) + " and no parameters that change it"));
        Map<String, Tensor> values = new HashMap<>(weight.map(LayerDelta::values).orElse(Map.of()));
        values.put("bias", layerTensors.get(DIFF_BIAS, layer.biasShape()));
        return new LayerDelta(new BiasDiff(weight.map(LayerDelta::adaptation)), values);
    }

    static LayerDelta fullDiff(Layer layer, LayerTensors tensors) {
        return new LayerDelta(new WeightDiff(), Map.of("weight", tensors.get(DIFF, layer.weightShape())));
    }

    /// LoRA and LoCon. The product is reshaped to the weight, so that its rows and columns may differ from outputs and
    /// inputs.
    static LayerDelta lowRank(Layer layer, LayerTensors tensors) {
        Tensor down = tensors.get(DOWN);
        Tensor up = tensors.get(UP);
        long rank = down.shape().size(0);
        if (tensors.has(MID)) down = FactorMath.contractCore(tensors.get(MID), down);
        long rows = up.shape().elements() / Math.max(1, rank);
        long columns = down.shape().elements() / Math.max(1, rank);
        if (rank == 0 || rows * rank != up.shape().elements() || rows * columns != layer.weightShape().elements()) {
            throw new IllegalArgumentException("expected two factors of " + layer.weightShape() + ", found "
                    + tensors.get(DOWN).shape() + " and " + up.shape());
        }
        LowRankProduct adaptation = new LowRankProduct(Math.toIntExact(rank), rows, columns);
        Tensor scaledUp = up.reshape(adaptation.upShape()).scaled(tensors.scale(rank));
        return new LayerDelta(adaptation, Map.of("down", down.reshape(adaptation.downShape()), "up", scaledUp));
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

    /// Each factor is a matrix or a product of two; α applies if one is a product.
    static LayerDelta kronecker(Layer layer, LayerTensors tensors) {
        long rank = 0;
        Tensor w1, w2;
        if (tensors.has("lokr_w1")) {
            w1 = tensors.get("lokr_w1");
        } else {
            rank = tensors.get("lokr_w1_b").shape().size(0);
            w1 = FactorMath.matmul(tensors.get("lokr_w1_a"), tensors.get("lokr_w1_b"));
        }
        if (tensors.has("lokr_w2")) {
            w2 = tensors.get("lokr_w2");
        } else {
            Tensor b = tensors.get("lokr_w2_b");
            rank = b.shape().size(0);
            w2 = tensors.has("lokr_t2")
                    ? FactorMath.matmul(FactorMath.transpose(tensors.get("lokr_w2_a")),
                            FactorMath.contractCore(tensors.get("lokr_t2"), b))
                    : FactorMath.matmul(tensors.get("lokr_w2_a"), b);
        }
        if (w1.shape().rank() < 2)
            throw new IllegalArgumentException("lokr_w1: expected a matrix, found " + w1.shape());
        long outputs = w1.shape().size(0), inputs = w1.shape().size(1);
        if (outputs < 1 || inputs < 1)
            throw new IllegalArgumentException("lokr_w1: expected a matrix, found " + w1.shape());
        long kernel = layer.kernelSize() * layer.kernelSize();
        if (w1.shape().elements() != outputs * inputs || layer.weightShape().size(0) % outputs != 0
                || layer.weightShape().size(1) % inputs != 0
                || w1.shape().elements() * w2.shape().elements() != layer.weightShape().elements()) {
            throw new IllegalArgumentException(
                    "expected factors of " + layer.weightShape() + ", found " + w1.shape() + " and " + w2.shape());
        }
        KroneckerProduct adaptation = new KroneckerProduct(outputs, inputs, layer.weightShape().size(0) / outputs,
                layer.weightShape().size(1) / inputs * kernel);
        Tensor scaledW1 = w1.reshape(adaptation.w1Shape()).scaled(rank == 0 ? 1 : tensors.scale(rank));
        return new LayerDelta(adaptation, Map.of("w1", scaledW1, "w2", w2.reshape(adaptation.w2Shape())));
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
            T bias = ScaledDelta.addBias(ops, base.bias(), parameters.get("bias"), adapterWeight);
            return new LayerWeights<>(adapted.weight(), bias);
        }
    }

    /// W + w1 ⊗ w2 with w1 (outputs, inputs) and w2 (blockOutputs, blockColumns); w2's columns include the kernel.
    record KroneckerProduct(long outputs, long inputs, long blockOutputs, long blockColumns) implements Adaptation {
        Shape w1Shape() {
            return Shape.of(outputs, inputs);
        }

        Shape w2Shape() {
            return Shape.of(blockOutputs, blockColumns);
        }

        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            return Map.of("w1", w1Shape(), "w2", w2Shape());
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
                AdapterParameters<T> parameters, T adapterWeight) {
            T w1 = ops.multiply(parameters.get("w1"), adapterWeight);
            return ScaledDelta.addToWeight(ops, layer, base, Lokr.kronecker(ops, w1, parameters.get("w2")));
        }
    }

    /// W + up · down, reshaped to the weight.
    record LowRankProduct(int rank, long rows, long columns) implements Adaptation {
        Shape upShape() {
            return Shape.of(rows, rank);
        }

        Shape downShape() {
            return Shape.of(rank, columns);
        }

        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            return Map.of("down", downShape(), "up", upShape());
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
                AdapterParameters<T> parameters, T adapterWeight) {
            T delta = ops.matmul(ops.multiply(parameters.get("up"), adapterWeight), parameters.get("down"));
            return ScaledDelta.addToWeight(ops, layer, base, delta);
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

    /// A layer's tensors in an adapter file, by [AdapterTensorKey#parameter].
    record LayerTensors(Map<String, Tensor> byName) {
        boolean has(String name) {
            return byName.containsKey(name);
        }

        boolean hasAny(Collection<String> names) {
            return names.stream().anyMatch(byName::containsKey);
        }

        Tensor get(String name) {
            Tensor tensor = byName.get(name);
            if (tensor == null)
                throw new IllegalArgumentException("has " + new TreeSet<>(byName.keySet()) + " and no " + name);
            if (tensor.shape().rank() < 1)
                throw new IllegalArgumentException(name + ": expected a matrix, found a scalar");
            return tensor;
        }

        Tensor get(String name, Shape shape) {
            return FactorMath.reshape(get(name), shape, name);
        }

        /// α/r, or 1 if the file has no α.
        double scale(long rank) {
            Tensor alpha = byName.get(LayerDelta.ALPHA);
            if (alpha != null && alpha.data().length != 1)
                throw new IllegalArgumentException("alpha: expected one number, found " + alpha.shape());
            return alpha == null ? 1 : alpha.data()[0] / rank;
        }
    }
}

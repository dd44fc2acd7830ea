package atomstudio.tuning.interop;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.Loha;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// One layer's change: a form, and its numbers by slot. What scales the change in the file is multiplied into the
/// numbers.
/// Source: LyCORIS, docs/Algo-Details.md and its modules' state dictionaries; α/r everywhere, 1 where a file has no α.
public record LayerDelta(Adaptation adaptation, Map<String, Tensor> values) {
    static final String DOWN = "down";
    static final String UP = "up";
    static final String MID = "mid";
    static final String ALPHA = "alpha";
    static final String DIFF = "diff";
    static final String DIFF_BIAS = "diff_b";
    /// Numbers that are called here what files call them: LoHa's and LoKr's.
    static final List<String> VERBATIM_NAMES = List.of("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1",
            "hada_t2", "lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2");

    /// @param tensors of the layer, as [AdapterTensorKey] calls them
    /// @throws IllegalArgumentException that says why they make no change of this layer
    public static LayerDelta of(Layer layer, Map<String, Tensor> tensors) {
        LayerTensors layerTensors = new LayerTensors(tensors);
        Optional<LayerDelta> weight = AdapterKind.read(layer, layerTensors);
        if (!layerTensors.has(DIFF_BIAS))
            return weight.orElseThrow(() -> new IllegalArgumentException(
                    "has " + new TreeSet<>(tensors.keySet()) + " and nothing that changes it"));
        Map<String, Tensor> values = new HashMap<>(weight.map(LayerDelta::values).orElse(Map.of()));
        values.put("bias", layerTensors.get(DIFF_BIAS, layer.biasShape()));
        return new LayerDelta(new BiasDiff(weight.map(LayerDelta::adaptation)), values);
    }

    static LayerDelta fullDiff(Layer layer, LayerTensors tensors) {
        return new LayerDelta(new WeightDiff(), Map.of("weight", tensors.get(DIFF, layer.weightShape())));
    }

    /// LoRA and LoCon. Readers reshape the product to the weight, so that its rows and columns need not be outputs
    /// and inputs.
    static LayerDelta lowRank(Layer layer, LayerTensors tensors) {
        Tensor down = tensors.get(DOWN);
        Tensor up = tensors.get(UP);
        long rank = down.shape().size(0);
        if (tensors.has(MID)) down = FactorMath.contractCore(tensors.get(MID), down);
        long rows = up.shape().elements() / Math.max(1, rank), columns = down.shape().elements() / Math.max(1, rank);
        if (rank == 0 || rows * rank != up.shape().elements() || rows * columns != layer.weightShape().elements()) {
            throw new IllegalArgumentException("expected two factors of " + layer.weightShape() + ", found "
                    + tensors.get(DOWN).shape() + " and " + up.shape());
        }
        LowRankProduct adaptation = new LowRankProduct(Math.toIntExact(rank), rows, columns);
        return new LayerDelta(adaptation, Map.of("down", down.reshape(adaptation.downShape()), "up",
                FactorMath.scale(up.reshape(adaptation.upShape()), tensors.scale(rank))));
    }

    static LayerDelta hadamard(Layer layer, LayerTensors tensors) {
        Tensor[] first = factorPair(layer, tensors, "hada_w1_a", "hada_w1_b", "hada_t1");
        Tensor[] second = factorPair(layer, tensors, "hada_w2_a", "hada_w2_b", "hada_t2");
        long rank = first[1].shape().size(0);
        if (second[1].shape().size(0) != rank)
            throw new IllegalArgumentException(
                    "expected halves of one rank, found " + first[1].shape() + " and " + second[1].shape());
        Tensor scaled = FactorMath.scale(second[0], tensors.scale(rank));
        return new LayerDelta(new Loha(Math.toIntExact(rank), rank),
                Map.of("w1a", first[0], "w1b", first[1], "w2a", scaled, "w2b", second[1]));
    }

    /// (Co,r) and (r,Ci·k²).
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

    /// Each factor whole or as a product of two; α counts where one is a product.
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
        return new LayerDelta(adaptation,
                Map.of("w1", FactorMath.scale(w1.reshape(adaptation.w1Shape()), rank == 0 ? 1 : tensors.scale(rank)),
                        "w2", w2.reshape(adaptation.w2Shape())));
    }

    /// b + Δb, beside what the weight's own form does where it has one.
    record BiasDiff(Optional<Adaptation> weightDelta) implements Adaptation {
        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            Map<String, Shape> shapes = new HashMap<>(
                    weightDelta.map(form -> form.parameterShapes(layer)).orElse(Map.of()));
            shapes.put("bias", layer.biasShape());
            return shapes;
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
                AdapterParameters<T> parameters, T adapterWeight) {
            LayerWeights<T> adapted = weightDelta.isEmpty() ? base
                    : weightDelta.get().effective(ops, layer, base, parameters, adapterWeight);
            T delta = ops.multiply(parameters.get("bias"), adapterWeight);
            return new LayerWeights<>(adapted.weight(), base.bias() == null ? delta : ops.add(base.bias(), delta));
        }
    }

    /// W + w1 ⊗ w2 with whole factors: w1 (outputs, inputs), w2 (blockOutputs, blockColumns), the kernel within w2's
    /// columns.
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
            T w1 = ops.reshape(ops.multiply(parameters.get("w1"), adapterWeight), Shape.of(outputs, 1, inputs, 1));
            T delta = ops.multiply(w1, ops.reshape(parameters.get("w2"), Shape.of(1, blockOutputs, 1, blockColumns)));
            return new LayerWeights<>(ops.add(base.weight(), ops.reshape(delta, layer.weightShape())), base.bias());
        }
    }

    /// W + up · down, the product in the weight's shape.
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
            return new LayerWeights<>(ops.add(base.weight(), ops.reshape(delta, layer.weightShape())), base.bias());
        }
    }

    /// What an adapter of another program does: each layer has a form of its own, since ranks may differ. Keyed by
    /// layers' names.
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

    /// W + ΔW, all of it in the file.
    record WeightDiff() implements Adaptation {
        @Override
        public Map<String, Shape> parameterShapes(Layer layer) {
            return Map.of("weight", layer.weightShape());
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
                AdapterParameters<T> parameters, T adapterWeight) {
            return new LayerWeights<>(ops.add(base.weight(), ops.multiply(parameters.get("weight"), adapterWeight)),
                    base.bias());
        }
    }
}

package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.Loha;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// One layer's change: a form, and its numbers by slot. What scales the change in the file is multiplied into the numbers.
/// Source: LyCORIS, docs/Algo-Details.md and its modules' state dictionaries; α/r everywhere, 1 where a file has no α.
public record ForeignChange(Adaptation form, Map<String, Tensor> values) {
    static final String DOWN = "down";
    static final String UP = "up";
    static final String MIDDLE = "mid";
    static final String ALPHA = "alpha";
    static final String WEIGHT = "diff";
    static final String BIAS = "diff_b";
    /// Numbers that are called here what files call them: LoHa's and LoKr's.
    static final List<String> AS_NAMED = List.of("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2", "lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2");

    /// @param numbers of the layer, as [TensorName] calls them
    /// @throws IllegalArgumentException that says why they make no change of this layer
    public static ForeignChange of(Layer layer, Map<String, Tensor> numbers) {
        LayerNumbers given = new LayerNumbers(numbers);
        Optional<ForeignChange> weight = AdapterKind.read(layer, given);
        if (!given.has(BIAS)) return weight.orElseThrow(() -> new IllegalArgumentException("has " + new TreeSet<>(numbers.keySet()) + " and nothing that changes it"));
        Map<String, Tensor> values = new HashMap<>(weight.map(ForeignChange::values).orElse(Map.of()));
        values.put("bias", given.get(BIAS, layer.biasShape()));
        return new ForeignChange(new WithBias(weight.map(ForeignChange::form)), values);
    }

    static ForeignChange difference(Layer layer, LayerNumbers numbers) {
        return new ForeignChange(new Difference(), Map.of("weight", numbers.get(WEIGHT, layer.weightShape())));
    }

    /// LoRA and LoCon. Readers reshape the product to the weight, so that its rows and columns need not be outputs and inputs.
    static ForeignChange product(Layer layer, LayerNumbers numbers) {
        Tensor down = numbers.get(DOWN);
        Tensor up = numbers.get(UP);
        long rank = down.shape().size(0);
        if (numbers.has(MIDDLE)) down = Folding.core(numbers.get(MIDDLE), down);
        long rows = up.shape().elements() / Math.max(1, rank), columns = down.shape().elements() / Math.max(1, rank);
        if (rank == 0 || rows * rank != up.shape().elements() || rows * columns != layer.weightShape().elements()) {
            throw new IllegalArgumentException("expected two factors of " + layer.weightShape() + ", found " + numbers.get(DOWN).shape() + " and " + up.shape());
        }
        Product form = new Product(Math.toIntExact(rank), rows, columns);
        return new ForeignChange(form, Map.of("down", down.reshape(form.down()), "up", Folding.scaled(up.reshape(form.up()), numbers.scale(rank))));
    }

    static ForeignChange hadamard(Layer layer, LayerNumbers numbers) {
        Tensor[] first = half(layer, numbers, "hada_w1_a", "hada_w1_b", "hada_t1");
        Tensor[] second = half(layer, numbers, "hada_w2_a", "hada_w2_b", "hada_t2");
        long rank = first[1].shape().size(0);
        if (second[1].shape().size(0) != rank) throw new IllegalArgumentException("expected halves of one rank, found " + first[1].shape() + " and " + second[1].shape());
        Tensor scaled = Folding.scaled(second[0], numbers.scale(rank));
        return new ForeignChange(new Loha(Math.toIntExact(rank), rank), Map.of("w1a", first[0], "w1b", first[1], "w2a", scaled, "w2b", second[1]));
    }

    /// (Co,r) and (r,Ci·k²).
    private static Tensor[] half(Layer layer, LayerNumbers numbers, String left, String right, String core) {
        Tensor a = numbers.get(left), b = numbers.get(right);
        if (numbers.has(core)) {
            a = Folding.transposed(a);
            b = Folding.core(numbers.get(core), b);
        }
        long rank = b.shape().size(0);
        return new Tensor[] {Folding.as(a, Shape.of(layer.weightShape().size(0), rank), left), Folding.as(b, Shape.of(rank, layer.fanIn()), right)};
    }

    /// Each factor whole or as a product of two; α counts where one is a product.
    static ForeignChange kronecker(Layer layer, LayerNumbers numbers) {
        long rank = 0;
        Tensor w1, w2;
        if (numbers.has("lokr_w1")) {
            w1 = numbers.get("lokr_w1");
        } else {
            rank = numbers.get("lokr_w1_b").shape().size(0);
            w1 = Folding.product(numbers.get("lokr_w1_a"), numbers.get("lokr_w1_b"));
        }
        if (numbers.has("lokr_w2")) {
            w2 = numbers.get("lokr_w2");
        } else {
            Tensor b = numbers.get("lokr_w2_b");
            rank = b.shape().size(0);
            w2 = numbers.has("lokr_t2") ? Folding.product(Folding.transposed(numbers.get("lokr_w2_a")), Folding.core(numbers.get("lokr_t2"), b)) : Folding.product(numbers.get("lokr_w2_a"), b);
        }
        if (w1.shape().rank() < 2) throw new IllegalArgumentException("lokr_w1: expected a matrix, found " + w1.shape());
        long outputs = w1.shape().size(0), inputs = w1.shape().size(1);
        if (outputs < 1 || inputs < 1) throw new IllegalArgumentException("lokr_w1: expected a matrix, found " + w1.shape());
        long kernel = layer.kernelSize() * layer.kernelSize();
        if (w1.shape().elements() != outputs * inputs || layer.weightShape().size(0) % outputs != 0 || layer.weightShape().size(1) % inputs != 0 || w1.shape().elements() * w2.shape().elements() != layer.weightShape().elements()) {
            throw new IllegalArgumentException("expected factors of " + layer.weightShape() + ", found " + w1.shape() + " and " + w2.shape());
        }
        Kronecker form = new Kronecker(outputs, inputs, layer.weightShape().size(0) / outputs, layer.weightShape().size(1) / inputs * kernel);
        return new ForeignChange(form, Map.of("w1", Folding.scaled(w1.reshape(form.first()), rank == 0 ? 1 : numbers.scale(rank)), "w2", w2.reshape(form.second())));
    }
}

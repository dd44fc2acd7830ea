package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.method.GloraStructure.Form;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// GLoRA with all its terms: W + W ⊙ A + B and b + D ⊙ b + E + W · C, each of A to E a product of rank r, a vector, a
/// scalar or nothing, as the layer's [GloraStructure] has it. A and B are (Co, Ci·k²), their vectors (Co); C is
/// (Ci·k²), as a product (Ci·k², r) · (r, 1); D and E are (Co). On a convolution they belong to its unfolded weight. C,
/// D and E are of layers with a bias. The first factor of a product, the vectors and the scalars start at 0.
/// Source: Chavan et al. 2023, "One-for-All: Generalized LoRA for Parameter-Efficient Fine-tuning", equation 10; forms
/// and shapes as in the authors' code and peft, whose W ⊙ A is an element-wise product.
public record GloraTerms(int rank, GloraPattern structures) implements TuningMethod {
    public GloraTerms {
        if (rank < 1) throw new IllegalArgumentException("rank: expected at least 1, found " + rank);
    }

    @Override
    public String name() {
        return "glora-terms";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (!layer.isProjection()) return List.of();
        GloraStructure structure = structures.of(layer);
        long outputs = layer.weightShape().size(0), fanIn = layer.fanIn();
        List<ParameterSpec> specs = new ArrayList<>();
        addSpecs(specs, "A", structure.a(), Shape.of(outputs, fanIn));
        addSpecs(specs, "B", structure.b(), Shape.of(outputs, fanIn));
        addSpecs(specs, "C", structure.c(), Shape.of(fanIn, 1));
        addSpecs(specs, "D", structure.d(), Shape.of(outputs, 1));
        addSpecs(specs, "E", structure.e(), Shape.of(outputs, 1));
        return specs;
    }

    /// `A` (the vector or scalar), or `Ad` and `Au` (the product).
    private void addSpecs(List<ParameterSpec> specs, String term, Form form, Shape shape) {
        switch (form) {
            case LOW_RANK -> {
                specs.add(ParameterSpec.zeros(term + "d", Shape.of(shape.size(0), rank)));
                specs.add(ParameterSpec.kaimingUniform(term + "u", Shape.of(rank, shape.size(1))));
            }
            case VECTOR -> specs.add(ParameterSpec.zeros(term, Shape.of(shape.size(0))));
            case SCALAR -> specs.add(ParameterSpec.zeros(term, Shape.of(1)));
            case NONE -> {}
        }
    }

    @Override
    public boolean changesWeight(Layer layer) {
        GloraStructure structure = structures.of(layer);
        return structure.a() != Form.NONE || structure.b() != Form.NONE;
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        return effective(ops, structures.of(layer), base, (term, form) -> form == Form.LOW_RANK
                ? ops.matmul(parameters.get(term + "d"), parameters.get(term + "u"))
                : parameters.get(term), adapterWeight);
    }

    /// The value of a term: a matrix, a vector or a scalar (1).
    @FunctionalInterface
    interface TermValues<T> {
        T get(String term, Form form);
    }

    static <T> LayerWeights<T> effective(Ops<T> ops, GloraStructure structure, LayerWeights<T> base,
            TermValues<T> values, T adapterWeight) {
        T w = base.weight();
        Shape shape = ops.shape(w);
        T scaled = structure.a() == Form.NONE ? null
                : ops.multiply(w, onWeight(ops, structure.a(), values.get("A", structure.a()), shape));
        T shift = structure.b() == Form.NONE ? null
                : onWeight(ops, structure.b(), values.get("B", structure.b()), shape);
        T deltaW = sum(ops, scaled, shift);
        T weight = deltaW == null ? w : ScaledDelta.add(ops, w, deltaW, adapterWeight);
        T b = base.bias();
        if (b == null) return new LayerWeights<>(weight, null);
        long fanIn = shape.elements() / shape.size(0);
        T deltaB = structure.d() == Form.NONE ? null : ops.multiply(b, values.get("D", structure.d()));
        if (structure.e() != Form.NONE) deltaB = sum(ops, deltaB, values.get("E", structure.e()));
        if (structure.c() != Form.NONE) {
            T c = ops.reshape(values.get("C", structure.c()), Shape.of(fanIn, 1));
            T prompt = ops.matmul(ops.reshape(w, Shape.of(shape.size(0), fanIn)), c);
            deltaB = sum(ops, deltaB, ops.reshape(prompt, Shape.of(shape.size(0))));
        }
        return new LayerWeights<>(weight, deltaB == null ? b : ScaledDelta.add(ops, b, deltaB, adapterWeight));
    }

    private static <T> @Nullable T sum(Ops<T> ops, @Nullable T a, @Nullable T b) {
        return a == null ? b : b == null ? a : ops.add(a, b);
    }

    /// A or B, so that it broadcasts over the weight.
    private static <T> T onWeight(Ops<T> ops, Form form, T value, Shape weight) {
        if (form == Form.SCALAR) return value;
        long outputs = weight.size(0);
        return ops.reshape(value, form == Form.LOW_RANK ? weight
                : weight.rank() == 4 ? Shape.of(outputs, 1, 1, 1) : Shape.of(outputs, 1));
    }

    /// Parameters of a structure on a layer.
    public static long parameterCount(GloraStructure structure, Layer layer, int rank) {
        return new GloraTerms(rank, GloraPattern.ofAll(structure)).parameterCount(List.of(layer));
    }
}

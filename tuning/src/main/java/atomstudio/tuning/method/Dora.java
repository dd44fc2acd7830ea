package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// LoRA with norm and direction of every output row separated: g ⊙ (W + ΔW) / ‖W + ΔW‖ with LoRA's ΔW and g (Co)
/// initialized to ‖W‖. The norm is not differentiated.
/// Source: Liu et al. 2024, "DoRA: Weight-Decomposed Low-Rank Adaptation", equations 5 and 11.
public record Dora(int rank, double alpha) implements TuningMethod {
    public Dora {
        new RankScale(rank, alpha);
    }

    @Override
    public String name() {
        return "dora";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (!layer.isProjection()) return List.of();
        RankScale rankScale = new RankScale(rank, alpha);
        Shape outputs = Shape.of(layer.weightShape().size(0));
        return List.of(ParameterSpec.kaimingUniform("A", rankScale.downShape(layer)),
                ParameterSpec.zeros("B", rankScale.upShape(layer)),
                ParameterSpec.trained("g", outputs, context -> rowNorms(context.readBaseWeight())));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        long outputs = layer.weightShape().size(0);
        T b = ops.reshape(ops.scale(parameters.get("B"), alpha / rank), Shape.of(outputs, rank));
        T a = ops.reshape(parameters.get("A"), Shape.of(rank, layer.fanIn()));
        T updated = ops.add(base.weight(), ops.reshape(ops.matmul(b, a), layer.weightShape())); // W + ΔW
        T weight = withNorms(ops, layer, updated, parameters.get("g"), 0);
        return new LayerWeights<>(ScaledDelta.interpolate(ops, base.weight(), weight, adapterWeight), base.bias());
    }

    /// A weight whose rows have the norms g.
    /// @param axis of the rows: 0 for outputs, 1 for inputs
    public static <T> T withNorms(Ops<T> ops, Layer layer, T weight, T g, int axis) {
        Shape shape = layer.weightShape();
        long rows = shape.size(axis), columns = shape.elements() / rows;
        Shape byInput = Shape.of(shape.size(0), shape.size(1), layer.kernelSize() * layer.kernelSize());
        T matrix = axis == 0 ? weight : ops.permute(ops.reshape(weight, byInput), 1, 0, 2);
        matrix = ops.reshape(matrix, Shape.of(rows, columns));
        T scaled = ops.multiply(matrix,
                ops.multiply(ops.reshape(g, Shape.of(rows, 1)), ops.reciprocalRowNorms(matrix)));
        if (axis == 0) return ops.reshape(scaled, shape);
        T permuted = ops.reshape(scaled, Shape.of(byInput.size(1), byInput.size(0), byInput.size(2)));
        return ops.reshape(ops.permute(permuted, 1, 0, 2), shape);
    }

    /// ‖W‖ of every output row, (Co).
    private static Tensor rowNorms(Tensor weight) {
        int rows = Math.toIntExact(weight.shape().size(0)), columns = weight.data().length / rows;
        Tensor norms = Tensor.zeros(Shape.of(rows));
        for (int row = 0; row < rows; row++) {
            double sumOfSquares = 0;
            for (int i = row * columns; i < (row + 1) * columns; i++)
                sumOfSquares += (double) weight.data()[i] * weight.data()[i];
            norms.data()[row] = (float) Math.sqrt(sumOfSquares);
        }
        return norms;
    }
}

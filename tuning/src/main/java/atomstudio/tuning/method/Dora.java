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
        Shape rows = Shape.of(layer.weightShape().size(0), layer.fanIn());
        T b = ops.reshape(ops.scale(parameters.get("B"), alpha / rank), Shape.of(rows.size(0), rank));
        T a = ops.reshape(parameters.get("A"), Shape.of(rank, rows.size(1)));
        T updated = ops.add(ops.reshape(base.weight(), rows), ops.matmul(b, a)); // W + ΔW
        T g = ops.reshape(parameters.get("g"), Shape.of(rows.size(0), 1));
        T adapted = ops.multiply(updated, ops.multiply(g, ops.reciprocalRowNorms(updated)));
        T weight = ops.reshape(adapted, layer.weightShape());
        return new LayerWeights<>(ScaledDelta.interpolate(ops, base.weight(), weight, adapterWeight), base.bias());
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

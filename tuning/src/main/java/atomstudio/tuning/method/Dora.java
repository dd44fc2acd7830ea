package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// Length and direction of every output's weights apart: g ⊙ (W + ΔW)/‖W + ΔW‖ with LoRA's ΔW; g (Co) starts at ‖W‖. The norm is not
/// differentiated.
/// Source: Liu et al. 2024, "DoRA: Weight-Decomposed Low-Rank Adaptation", equations 5 and 11.
public record Dora(int rank, double alpha) implements TuningMethod {
    public Dora {
        new Scale(rank, alpha);
    }

    @Override public String name() {
        return "dora";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (!layer.isProjection()) return List.of();
        Scale scale = new Scale(rank, alpha);
        Shape outputs = Shape.of(layer.weightShape().size(0));
        return List.of(Slot.kaiming("A", scale.down(layer)), Slot.zero("B", scale.up(layer)), Slot.trained("g", outputs, origin -> norms(origin.base())));
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        Shape rows = Shape.of(layer.weightShape().size(0), layer.fanIn());
        T delta = ops.matmul(ops.reshape(ops.scale(theta.get("B"), alpha / rank), Shape.of(rows.size(0), rank)), ops.reshape(theta.get("A"), Shape.of(rank, rows.size(1))));
        T moved = ops.add(ops.reshape(base.weight(), rows), delta);
        T tuned = ops.multiply(moved, ops.multiply(ops.reshape(theta.get("g"), Shape.of(rows.size(0), 1)), ops.reciprocalRowNorms(moved)));
        return new LayerWeights<>(Strength.toward(ops, base.weight(), ops.reshape(tuned, layer.weightShape()), strength), base.bias());
    }

    /// ‖W‖ of every output.
    private static Tensor norms(Tensor weight) {
        int rows = Math.toIntExact(weight.shape().size(0)), columns = weight.data().length / rows;
        Tensor norms = Tensor.zeros(Shape.of(rows));
        for (int row = 0; row < rows; row++) {
            double square = 0;
            for (int i = row * columns; i < (row + 1) * columns; i++) square += (double) weight.data()[i] * weight.data()[i];
            norms.data()[row] = (float) Math.sqrt(square);
        }
        return norms;
    }
}

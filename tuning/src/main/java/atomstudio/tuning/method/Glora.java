package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// Low-rank transform of the weight's inputs plus a low-rank update: W + (α/r) · (W · a1 · a2 + b1 · b2) with a1
/// (Ci, r), a2 (r, Ci), b1 (Co, r) and b2 (r, Ci, k, k). On a convolution a1 and a2 mix the input channels in the same
/// way at every kernel position.
/// Source: Chavan et al. 2023, "One-for-All: Generalized LoRA", equation 10: the two terms, in the matrix form that
/// image tools load.
public record Glora(int rank, double alpha) implements TuningMethod {
    public Glora {
        new RankScale(rank, alpha);
    }

    @Override
    public String name() {
        return "glora";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (!layer.isProjection()) return List.of();
        long inputs = layer.weightShape().size(1), outputs = layer.weightShape().size(0);
        return List.of(ParameterSpec.kaimingUniform("a1", Shape.of(inputs, rank)),
                ParameterSpec.zeros("a2", Shape.of(rank, inputs)),
                ParameterSpec.kaimingUniform("b1", Shape.of(outputs, rank)),
                ParameterSpec.zeros("b2", new RankScale(rank, alpha).downShape(layer)));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T projected = projectInputs(ops, layer, base.weight(), parameters.get("a1"), parameters.get("a2"));
        T b2 = ops.reshape(parameters.get("b2"), Shape.of(rank, layer.fanIn()));
        T shift = ops.reshape(ops.matmul(parameters.get("b1"), b2), layer.weightShape());
        T deltaW = ops.scale(ops.add(projected, shift), alpha / rank);
        return new LayerWeights<>(ScaledDelta.add(ops, base.weight(), deltaW, adapterWeight), base.bias());
    }

    /// W · a1 · a2 over the input channels.
    private static <T> T projectInputs(Ops<T> ops, Layer layer, T weight, T a1, T a2) {
        long outputs = layer.weightShape().size(0), inputs = layer.weightShape().size(1),
                kernel = layer.kernelSize() * layer.kernelSize();
        if (kernel == 1) {
            T matrix = ops.reshape(weight, Shape.of(outputs, inputs));
            return ops.reshape(ops.matmul(ops.matmul(matrix, a1), a2), layer.weightShape());
        }
        T rows = ops.reshape(ops.permute(ops.reshape(weight, Shape.of(outputs, inputs, kernel)), 0, 2, 1),
                Shape.of(outputs * kernel, inputs));
        T projected = ops.reshape(ops.matmul(ops.matmul(rows, a1), a2), Shape.of(outputs, kernel, inputs));
        return ops.reshape(ops.permute(projected, 0, 2, 1), layer.weightShape());
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// LoRA that starts from the r principal components of the weight: (α/r) · B0 · A0 is the best rank-r approximation of
/// W, with equal norms of both factors, and W + (α/r) · (B · A − B0 · A0). The published form trains A and B and
/// subtracts the start from the base weight. Here A = A0 + ΔA and B = B0 + ΔB with ΔA and ΔB trained from zero, so that
/// the base weight stays as it is: ΔW = (α/r) · (B0 · ΔA + ΔB · A). Files store A0 and B0.
/// Source: Meng, Wang, Zhang 2024, "PiSSA: Principal Singular Values and Singular Vectors Adaptation of Large Language
/// Models", equations 2 to 4; the singular vectors by subspace iteration, as there.
public record Pissa(int rank, double alpha) implements TuningMethod {
    public Pissa {
        new RankScale(rank, alpha);
    }

    @Override
    public String name() {
        return "pissa";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (!layer.isProjection()) return List.of();
        RankScale rankScale = new RankScale(rank, alpha);
        Shape down = rankScale.downShape(layer), up = rankScale.upShape(layer);
        return List.of(ParameterSpec.frozen("A0", down, context -> principalRows(layer, context).reshape(down)),
                ParameterSpec.frozen("B0", up, context -> principalColumns(layer, context).reshape(up)),
                ParameterSpec.zeros("dA", down), ParameterSpec.zeros("dB", up));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        Shape down = Shape.of(rank, layer.fanIn()), up = Shape.of(layer.weightShape().size(0), rank);
        T deltaA = ops.reshape(parameters.get("dA"), down), deltaB = ops.reshape(parameters.get("dB"), up);
        T a = ops.add(ops.reshape(parameters.get("A0"), down), deltaA);
        T change = ops.add(ops.matmul(ops.reshape(parameters.get("B0"), up), deltaA), ops.matmul(deltaB, a));
        return ScaledDelta.addToWeight(ops, layer, base,
                ops.scale(ops.multiply(change, adapterWeight), alpha / rank));
    }

    /// A0 = √(S · r/α) · Vᵀ.
    private Tensor principalRows(Layer layer, ParameterSpec.InitContext context) {
        return SingularVectors.scaledLeading(matrix(layer, context), rank, Math.sqrt(rank / alpha), context.rng());
    }

    /// B0 = √(S · r/α) · U = W · A0ᵀ · diag(r/α / ‖row of A0‖²).
    private Tensor principalColumns(Layer layer, ParameterSpec.InitContext context) {
        Tensor w = matrix(layer, context), a = context.frozen().get("A0");
        int rows = Math.toIntExact(w.shape().size(0)), columns = Math.toIntExact(w.shape().size(1));
        double[] normSquares = new double[rank];
        for (int i = 0; i < a.data().length; i++) normSquares[i / columns] += (double) a.data()[i] * a.data()[i];
        return Tensor.generate(Shape.of(rows, rank), i -> {
            int row = i / rank, component = i % rank;
            double sum = 0;
            for (int j = 0; j < columns; j++)
                sum += (double) w.data()[row * columns + j] * a.data()[component * columns + j];
            return normSquares[component] == 0 ? 0 : sum * rank / alpha / normSquares[component];
        });
    }

    private static Tensor matrix(Layer layer, ParameterSpec.InitContext context) {
        return context.readBaseWeight().reshape(Shape.of(layer.weightShape().size(0), layer.fanIn()));
    }
}

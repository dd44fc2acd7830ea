package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// Hadamard product of two low-rank matrices: W + (α/r) · (w1a · w1b) ⊙ (w2a · w2b) with w1a, w2a (Co, r) and w1b, w2b
/// (r, Ci·k²).
/// Source: Hyeon-Woo, Ye-Bin, Oh 2022, "FedPara", proposition 1; initialization as in LyCORIS.
public record Loha(int rank, double alpha) implements TuningMethod {
    private static final double INIT_STD = 0.1;

    public Loha {
        new RankScale(rank, alpha);
    }

    @Override
    public String name() {
        return "loha";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (!layer.isProjection()) return List.of();
        Shape up = Shape.of(layer.weightShape().size(0), rank), down = Shape.of(rank, layer.fanIn());
        return List.of(ParameterSpec.normal("w1a", up, INIT_STD), ParameterSpec.normal("w1b", down, 1),
                ParameterSpec.zeros("w2a", up), ParameterSpec.normal("w2b", down, 1));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T first = ops.matmul(parameters.get("w1a"), parameters.get("w1b"));
        T scaledW2a = ops.scale(ops.multiply(parameters.get("w2a"), adapterWeight), alpha / rank);
        T second = ops.matmul(scaledW2a, parameters.get("w2b"));
        return ScaledDelta.addToWeight(ops, layer, base, ops.multiply(first, second));
    }
}

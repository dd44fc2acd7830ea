package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// A Kronecker product of a small and a low-rank matrix: W + (α/r) · w1 ⊗ (w2a · w2b); w1 (f(Co), f(Ci)) with f(n)
/// the divisor of n nearest below its root, w2a (Co/f(Co), r), w2b (r, Ci/f(Ci) · k²).
/// Source: Edalati et al. 2022, "KronA"; LyCORIS' LoKr with its factor −1.
public record Lokr(int rank, double alpha) implements TuningMethod {
    public Lokr {
        new RankScale(rank, alpha);
    }

    @Override
    public String name() {
        return "lokr";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (!layer.isProjection()) return List.of();
        Factors outputFactors = Factors.of(layer.weightShape().size(0)),
                inputFactors = Factors.of(layer.weightShape().size(1));
        long kernelElements = layer.kernelSize() * layer.kernelSize();
        return List.of(ParameterSpec.kaimingUniform("w1", Shape.of(outputFactors.small, inputFactors.small)),
                ParameterSpec.kaimingUniform("w2a", Shape.of(outputFactors.large, rank)),
                ParameterSpec.zeros("w2b", Shape.of(rank, inputFactors.large * kernelElements)));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        Factors outputFactors = Factors.of(layer.weightShape().size(0)),
                inputFactors = Factors.of(layer.weightShape().size(1));
        T w2 = ops.matmul(parameters.get("w2a"),
                ops.scale(ops.multiply(parameters.get("w2b"), adapterWeight), alpha / rank));
        T delta = ops.multiply(
                ops.reshape(parameters.get("w1"), Shape.of(outputFactors.small, 1, inputFactors.small, 1)),
                ops.reshape(w2, Shape.of(1, outputFactors.large, 1, w2Columns(layer, inputFactors))));
        return new LayerWeights<>(ops.add(base.weight(), ops.reshape(delta, layer.weightShape())), base.bias());
    }

    private static long w2Columns(Layer layer, Factors inputFactors) {
        return inputFactors.large * layer.kernelSize() * layer.kernelSize();
    }

    /// n = small · large, as near to each other as divisors can be.
    private record Factors(long small, long large) {
        static Factors of(long n) {
            long small = (long) Math.sqrt(n);
            while (n % small != 0) small--;
            return new Factors(small, n / small);
        }
    }
}

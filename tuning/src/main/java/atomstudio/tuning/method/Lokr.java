package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// Kronecker product of a small and a low-rank matrix: W + (α/r) · w1 ⊗ (w2a · w2b) with w1 (f(Co), f(Ci)), w2a
/// (Co/f(Co), r) and w2b (r, Ci/f(Ci) · k²), where f(n) is the largest divisor of n that is at most √n and at most the
/// factor, if there is one.
/// Source: Edalati et al. 2022, "KronA"; LyCORIS' LoKr, `factorization`.
/// @param factor limit of w1's sides, or [#NO_FACTOR]
public record Lokr(int rank, double alpha, int factor) implements TuningMethod {
    /// LyCORIS' and peft's default.
    public static final int NO_FACTOR = -1;

    public Lokr {
        new RankScale(rank, alpha);
        if (factor < 1 && factor != NO_FACTOR)
            throw new IllegalArgumentException("factor: expected at least 1, or -1 for the largest, found " + factor);
    }

    /// The shape of w1.
    public static Shape w1Shape(Layer layer, int factor) {
        return Shape.of(Factors.of(layer.weightShape().size(0), factor).small,
                Factors.of(layer.weightShape().size(1), factor).small);
    }

    @Override
    public String name() {
        return "lokr";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (!layer.isProjection()) return List.of();
        Factors outputFactors = Factors.of(layer.weightShape().size(0), factor),
                inputFactors = Factors.of(layer.weightShape().size(1), factor);
        long kernelElements = layer.kernelSize() * layer.kernelSize();
        return List.of(ParameterSpec.kaimingUniform("w1", Shape.of(outputFactors.small, inputFactors.small)),
                ParameterSpec.kaimingUniform("w2a", Shape.of(outputFactors.large, rank)),
                ParameterSpec.zeros("w2b", Shape.of(rank, inputFactors.large * kernelElements)));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T scaledW2b = ops.scale(ops.multiply(parameters.get("w2b"), adapterWeight), alpha / rank);
        T w2 = ops.matmul(parameters.get("w2a"), scaledW2b);
        return ScaledDelta.addToWeight(ops, layer, base, kronecker(ops, parameters.get("w1"), w2));
    }

    /// w1 ⊗ w2 of matrices (a, b) and (c, d), as (a, c, b, d).
    public static <T> T kronecker(Ops<T> ops, T w1, T w2) {
        Shape first = ops.shape(w1), second = ops.shape(w2);
        return ops.multiply(ops.reshape(w1, Shape.of(first.size(0), 1, first.size(1), 1)),
                ops.reshape(w2, Shape.of(1, second.size(0), 1, second.size(1))));
    }

    /// n = small · large; a factor that divides n is one of them.
    private record Factors(long small, long large) {
        static Factors of(long n, int factor) {
            if (factor > 0 && n % factor == 0)
                return new Factors(Math.min(factor, n / factor),
                        Math.max(factor, n / factor));
            long small = Math.min((long) Math.sqrt(n), factor > 0 ? factor : n);
            while (n % small != 0) small--;
            return new Factors(small, n / small);
        }
    }
}

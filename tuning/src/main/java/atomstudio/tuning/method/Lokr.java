package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// A Kronecker product of a small and a low-rank matrix: W + (α/r) · w1 ⊗ (w2a · w2b); w1 (f(Co), f(Ci)) with f(n) the divisor of n
/// nearest below its root, w2a (Co/f(Co), r), w2b (r, Ci/f(Ci) · k²).
/// Source: Edalati et al. 2022, "KronA"; LyCORIS' LoKr with its factor −1.
public record Lokr(int rank, double alpha) implements TuningMethod {
    public Lokr {
        new Scale(rank, alpha);
    }

    @Override public String name() {
        return "lokr";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (!layer.isProjection()) return List.of();
        Sides o = Sides.of(layer.weightShape().size(0)), i = Sides.of(layer.weightShape().size(1));
        long kernel = layer.kernelSize() * layer.kernelSize();
        return List.of(Slot.kaiming("w1", Shape.of(o.small, i.small)), Slot.kaiming("w2a", Shape.of(o.large, rank)), Slot.zero("w2b", Shape.of(rank, i.large * kernel)));
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        Sides o = Sides.of(layer.weightShape().size(0)), i = Sides.of(layer.weightShape().size(1));
        T w2 = ops.matmul(theta.get("w2a"), ops.scale(ops.multiply(theta.get("w2b"), strength), alpha / rank));
        T delta = ops.multiply(ops.reshape(theta.get("w1"), Shape.of(o.small, 1, i.small, 1)), ops.reshape(w2, Shape.of(1, o.large, 1, w2Columns(layer, i))));
        return new LayerWeights<>(ops.add(base.weight(), ops.reshape(delta, layer.weightShape())), base.bias());
    }

    private static long w2Columns(Layer layer, Sides inputs) {
        return inputs.large * layer.kernelSize() * layer.kernelSize();
    }

    /// n = small · large, as near to each other as divisors can be.
    private record Sides(long small, long large) {
        static Sides of(long n) {
            long small = (long) Math.sqrt(n);
            while (n % small != 0) small--;
            return new Sides(small, n / small);
        }
    }
}

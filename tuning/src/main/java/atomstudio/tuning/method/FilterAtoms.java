package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Slots;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// Filter atoms D of every 3×3 convolution: W = α · D, one row of unfold(W) for each pair of channels; α stays, ΔD (m,9) is tuned.
/// Source: Chen, Miao, Qiu 2025, "Large Convolutional Model Tuning via Filter Subspace", section 3.1, with linear coding.
public record FilterAtoms(int atoms) implements TuningMethod {
    private static final int SIZE = 9;

    public FilterAtoms {
        new Coding(atoms, SIZE);
    }

    @Override public String name() {
        return "atoms";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (layer.kind() != Layer.Kind.CONV || layer.kernel() != 3) return List.of();
        return new Coding(atoms, SIZE).slots(weight -> new Tensor(Shape.of(weight.shape().elements() / SIZE, SIZE), weight.data()));
    }

    @Override public <T> Affine<T> effective(Ops<T> ops, Layer layer, Affine<T> base, Slots<T> theta, T strength) {
        T m = ops.multiply(new Coding(atoms, SIZE).matrix(ops, theta), strength);
        T unfolded = ops.reshape(base.weight(), Shape.of(layer.weight().elements() / SIZE, SIZE));
        T delta = ops.reshape(ops.matmul(unfolded, m), layer.weight());                     // ΔW = unfold(W) · Dᵀ · ΔD
        return new Affine<>(ops.add(base.weight(), delta), base.bias());
    }

    @Override public <T> Optional<T> mixing(Ops<T> ops, Layer layer, Slots<T> theta, T strength) {
        return Optional.of(ops.multiply(new Coding(atoms, SIZE).matrix(ops, theta), strength));
    }
}

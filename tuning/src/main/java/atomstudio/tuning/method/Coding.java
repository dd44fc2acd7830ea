package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/// Linear coding: unfold(W) ≈ α · D with `atoms` atoms of `size` numbers; D are the leading right singular vectors, α = unfold(W) · Dᵀ
/// is the best there is (Eckart and Young 1936), so ΔW = α · ΔD = unfold(W) · M with M = Dᵀ · ΔD, and α is never stored.
/// As many atoms as numbers: D is the identity by definition and M itself is trained.
record Coding(int atoms, int size) {
    Coding {
        if (atoms < 1 || atoms > size) {
            throw new IllegalArgumentException("atoms: expected 1 to " + size + " (linear coding has no more than an atom has numbers), found " + atoms);
        }
    }

    /// As many atoms as a kernel has numbers, where that is fewer than asked for: a 1×1 kernel has one.
    static Coding of(int atoms, long kernel) {
        int size = Math.toIntExact(kernel * kernel);
        return new Coding(Math.min(atoms, size), size);
    }

    /// Whether D is the identity.
    boolean whole() {
        return atoms == size;
    }

    /// @param unfold rows of `size` numbers from a base weight
    List<Slot> slots(UnaryOperator<Tensor> unfold) {
        if (whole()) return List.of(Slot.zero("M", Shape.of(size, size)));
        return List.of(dictionary(unfold), Slot.zero("dD", Shape.of(atoms, size)));
    }

    /// D (atoms,size), frozen.
    Slot dictionary(UnaryOperator<Tensor> unfold) {
        return Slot.frozen("D", Shape.of(atoms, size), origin -> SingularVectors.leading(unfold.apply(origin.base()), atoms));
    }

    /// M (size,size).
    <T> T matrix(Ops<T> ops, AdapterParameters<T> theta) {
        return whole() ? theta.get("M") : ops.matmul(ops.permute(theta.get("D"), 1, 0), theta.get("dD"));
    }
}

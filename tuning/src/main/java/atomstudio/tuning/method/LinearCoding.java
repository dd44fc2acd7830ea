package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/// Linear coding unfold(W) ≈ α · D with m atoms D (m, n) of n elements. D are the leading right singular vectors of
/// unfold(W), and α = unfold(W) · Dᵀ is the best rank-m coding (Eckart and Young 1936). Hence ΔW = α · ΔD =
/// unfold(W) · M with M = Dᵀ · ΔD (n, n), and α is never stored. For m = n, D is the identity by definition and M
/// itself is trained.
record LinearCoding(int atomCount, int atomSize) {
    LinearCoding {
        requireAtomCount(atomCount, atomSize);
    }

    static void requireAtomCount(int atomCount, int atomSize) {
        requireAtomCount(atomCount, atomSize, "");
    }

    /// @param place of the largest atoms, for the message
    static void requireAtomCount(int atomCount, long atomSize, String place) {
        if (atomCount < 1 || atomCount > atomSize) {
            throw new IllegalArgumentException("atoms: expected 1 to " + atomSize + place
                    + " (linear coding has at most as many atoms as an atom has elements), found " + atomCount);
        }
    }

    /// Of a method: how many atoms a layer may have depends on its kernel.
    static void requirePositive(int atomCount) {
        if (atomCount < 1) throw new IllegalArgumentException("atoms: expected at least 1, found " + atomCount);
    }

    /// At most k² atoms: a 1×1 kernel has one.
    static LinearCoding of(int maxAtoms, long kernelSize) {
        int size = Math.toIntExact(kernelSize * kernelSize);
        return new LinearCoding(Math.min(maxAtoms, size), size);
    }

    /// Whether D is the identity.
    boolean isComplete() { return atomCount == atomSize; }

    /// M where the coding is complete, otherwise D and ΔD.
    /// @param unfold base weight -> rows of n elements
    List<ParameterSpec> parameterSpecs(UnaryOperator<Tensor> unfold) {
        if (isComplete()) return List.of(ParameterSpec.zeros("M", Shape.of(atomSize, atomSize)));
        return List.of(dictionary(unfold), ParameterSpec.zeros("dD", Shape.of(atomCount, atomSize)));
    }

    /// D (m, n), frozen.
    ParameterSpec dictionary(UnaryOperator<Tensor> unfold) {
        return ParameterSpec.frozen("D", Shape.of(atomCount, atomSize),
                context -> SingularVectors.leading(unfold.apply(context.readBaseWeight()), atomCount));
    }

    /// M = Dᵀ · ΔD (n, n).
    <T> T m(Ops<T> ops, Adaptation.AdapterParameters<T> parameters) {
        if (isComplete()) return parameters.get("M");
        T transposedD = ops.permute(parameters.get("D"), 1, 0);
        return ops.matmul(transposedD, parameters.get("dD"));
    }
}

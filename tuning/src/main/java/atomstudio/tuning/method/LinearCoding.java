package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/// Linear coding: unfold(W) ≈ α · D with `atoms` atoms of `size` numbers; D are the leading right singular vectors, α
/// = unfold(W) · Dᵀ is the best there is (Eckart and Young 1936), so ΔW = α · ΔD = unfold(W) · M with M = Dᵀ · ΔD,
/// and α is never stored. As many atoms as numbers: D is the identity by definition and M itself is trained.
record LinearCoding(int atomCount, int atomSize) {
    LinearCoding {
        if (atomCount < 1 || atomCount > atomSize) {
            throw new IllegalArgumentException("atoms: expected 1 to " + atomSize
                    + " (linear coding has no more than an atom has numbers), found " + atomCount);
        }
    }

    /// As many atoms as a kernel has numbers, where that is fewer than asked for: a 1×1 kernel has one.
    static LinearCoding of(int atoms, long kernelSize) {
        int size = Math.toIntExact(kernelSize * kernelSize);
        return new LinearCoding(Math.min(atoms, size), size);
    }

    /// Whether D is the identity.
    boolean isComplete() { return atomCount == atomSize; }

    /// @param unfold rows of `size` numbers from a base weight
    List<ParameterSpec> parameterSpecs(UnaryOperator<Tensor> unfold) {
        if (isComplete()) return List.of(ParameterSpec.zeros("M", Shape.of(atomSize, atomSize)));
        return List.of(dictionary(unfold), ParameterSpec.zeros("dD", Shape.of(atomCount, atomSize)));
    }

    /// D (atoms,size), frozen.
    ParameterSpec dictionary(UnaryOperator<Tensor> unfold) {
        return ParameterSpec.frozen("D", Shape.of(atomCount, atomSize),
                origin -> SingularVectors.leading(unfold.apply(origin.readBaseWeight()), atomCount));
    }

    /// M (size,size).
    <T> T transformMatrix(Ops<T> ops, Adaptation.AdapterParameters<T> parameters) {
        return isComplete() ? parameters.get("M")
                : ops.matmul(ops.permute(parameters.get("D"), 1, 0), parameters.get("dD"));
    }
}

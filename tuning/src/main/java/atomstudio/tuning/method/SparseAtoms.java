package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// Filter atoms with the paper's sparse coding: unfold(W) ≈ α · D with sparse α and m atoms, possibly more than a
/// kernel has elements. α is frozen and ΔD (m, k²) is trained. Files store D, ΔD and `check`, random projections of α;
/// α is recomputed from W and D and compared with `check`. A 1×1 kernel has one atom.
/// Source: Chen, Miao, Qiu 2025, section 3.1.
public record SparseAtoms(int maxAtoms) implements TuningMethod {
    private static final int PROJECTIONS = 4;
    private static final long SEED = 20250225;
    private static final double TOLERANCE = 1e-4;

    public SparseAtoms {
        if (maxAtoms < 1) throw new IllegalArgumentException("atoms: expected at least 1, found " + maxAtoms);
    }

    @Override
    public String name() {
        return "atoms";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (layer.kind() != Layer.Kind.CONV) return List.of();
        long size = layer.kernelSize() * layer.kernelSize();
        int atomCount = layer.kernelSize() == 1 ? 1 : maxAtoms;
        ParameterSpec dictionary = ParameterSpec.frozen("D", Shape.of(atomCount, size),
                context -> SparseCoding.atoms(FilterAtoms.unfold(context.readBaseWeight()), atomCount, context.rng()));
        ParameterSpec check = ParameterSpec.frozen("check", Shape.of(PROJECTIONS, atomCount),
                context -> projections(alpha(context)));
        ParameterSpec alpha = ParameterSpec.derived("alpha", Shape.of(layer.weightShape().elements() / size, atomCount),
                context -> verified(layer, alpha(context), context.frozen().get("check")));
        return List.of(dictionary, check, alpha, ParameterSpec.zeros("dD", Shape.of(atomCount, size)));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T scaledDeltaD = ops.multiply(parameters.get("dD"), adapterWeight);
        T deltaW = ops.matmul(parameters.get("alpha"), scaledDeltaD); // ΔW = α · ΔD
        return ScaledDelta.addToWeight(ops, layer, base, deltaW);
    }

    private static Tensor alpha(ParameterSpec.InitContext context) {
        return SparseCoding.codes(FilterAtoms.unfold(context.readBaseWeight()), context.frozen().get("D"));
    }

    /// (PROJECTIONS, m): sums of the rows of α with random signs.
    private static Tensor projections(Tensor alpha) {
        int rows = Math.toIntExact(alpha.shape().size(0)), m = Math.toIntExact(alpha.shape().size(1));
        double[] sums = new double[PROJECTIONS * m];
        CounterRng rng = new CounterRng(SEED, "projections");
        for (int row = 0; row < rows; row++) {
            long signs = rng.bits(row);
            for (int p = 0; p < PROJECTIONS; p++) {
                int sign = (signs >>> p & 1) == 0 ? 1 : -1;
                for (int j = 0; j < m; j++) sums[p * m + j] += sign * alpha.data()[row * m + j];
            }
        }
        return Tensor.generate(Shape.of(PROJECTIONS, m), i -> sums[i]);
    }

    private static Tensor verified(Layer layer, Tensor alpha, Tensor expected) {
        Tensor found = projections(alpha);
        double largest = 0, difference = 0;
        for (int i = 0; i < expected.data().length; i++) {
            largest = Math.max(largest, Math.abs(expected.data()[i]));
            difference = Math.max(difference, Math.abs(expected.data()[i] - found.data()[i]));
        }
        if (difference <= TOLERANCE * Math.max(largest, 1e-6)) return alpha;
        throw new IllegalArgumentException(layer.name() + ": the sparse codes differ from those at training (by "
                + difference / largest + " of the largest); the weights are not those of the base model");
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// Filter atoms with the paper's sparse coding: W ≈ α · D with sparse α, m atoms that may be more than a kernel has
/// numbers; α stays, ΔD (m,k²) is tuned. Files hold D and ΔD; α is coded again from W and D, and `check`, random
/// projections of α, says whether it came out the same. A 1×1 kernel has one atom.
/// Source: Chen, Miao, Qiu 2025, section 3.1.
public record SparseAtoms(int maxAtoms) implements TuningMethod {
    private static final int PROJECTIONS = 4;
    private static final long SEED = 20250225;

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
        int atomCount = atomCount(layer);
        ParameterSpec dictionary = ParameterSpec.frozen("D", Shape.of(atomCount, size),
                origin -> SparseCoding.atoms(FilterAtoms.unfold(origin.readBaseWeight()), atomCount, origin.rng()));
        ParameterSpec check = ParameterSpec.frozen("check", Shape.of(PROJECTIONS, atomCount),
                origin -> projections(codes(origin)));
        ParameterSpec codes = ParameterSpec.derived("alpha", Shape.of(layer.weightShape().elements() / size, atomCount),
                origin -> verified(layer, codes(origin), origin.frozen().get("check")));
        return List.of(dictionary, check, codes, ParameterSpec.zeros("dD", Shape.of(atomCount, size)));
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T delta = ops.matmul(parameters.get("alpha"), ops.multiply(parameters.get("dD"), adapterWeight)); // ΔW = α · ΔD
        return new LayerWeights<>(ops.add(base.weight(), ops.reshape(delta, layer.weightShape())), base.bias());
    }

    private int atomCount(Layer layer) {
        return layer.kernelSize() == 1 ? 1 : maxAtoms;
    }

    private static Tensor codes(ParameterSpec.InitContext origin) {
        return SparseCoding.codes(FilterAtoms.unfold(origin.readBaseWeight()), origin.frozen().get("D"));
    }

    /// (PROJECTIONS,m): sums of the rows of α with random signs.
    private static Tensor projections(Tensor codes) {
        int rows = Math.toIntExact(codes.shape().size(0)), m = Math.toIntExact(codes.shape().size(1));
        double[] sums = new double[PROJECTIONS * m];
        CounterRng rng = new CounterRng(SEED, "projections");
        for (int row = 0; row < rows; row++) {
            long signs = rng.bits(row);
            for (int p = 0; p < PROJECTIONS; p++)
                for (int j = 0; j < m; j++)
                    sums[p * m + j] += (signs >>> p & 1) == 0 ? codes.data()[row * m + j] : -codes.data()[row * m + j];
        }
        Tensor projections = Tensor.zeros(Shape.of(PROJECTIONS, m));
        for (int i = 0; i < sums.length; i++) projections.data()[i] = (float) sums[i];
        return projections;
    }

    private static Tensor verified(Layer layer, Tensor codes, Tensor expected) {
        Tensor found = projections(codes);
        double largest = 0, difference = 0;
        for (int i = 0; i < expected.data().length; i++) {
            largest = Math.max(largest, Math.abs(expected.data()[i]));
            difference = Math.max(difference, Math.abs(expected.data()[i] - found.data()[i]));
        }
        if (difference <= 1e-4 * Math.max(largest, 1e-6)) return codes;
        throw new IllegalArgumentException(
                layer.name() + ": its sparse codes came out otherwise than when it was tuned (off by "
                        + difference / largest + " of the largest); the weights are not those of the base model");
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// Filter atoms with the paper's sparse coding: W ≈ α · D with sparse α, m atoms that may be more than a kernel has numbers; α stays, ΔD
/// (m,k²) is tuned. Files hold D and ΔD; α is coded again from W and D, and `check`, random projections of α, says whether it came out
/// the same. A 1×1 kernel has one atom.
/// Source: Chen, Miao, Qiu 2025, section 3.1.
public record SparseAtoms(int atoms) implements TuningMethod {
    private static final int PROJECTIONS = 4;
    private static final long SEED = 20250225;

    public SparseAtoms {
        if (atoms < 1) throw new IllegalArgumentException("atoms: expected at least 1, found " + atoms);
    }

    @Override public String name() {
        return "atoms";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (layer.kind() != Layer.Kind.CONV) return List.of();
        long size = layer.kernelSize() * layer.kernelSize();
        int m = own(layer);
        Slot dictionary = Slot.frozen("D", Shape.of(m, size), origin -> SparseCoding.atoms(FilterAtoms.unfold(origin.base()), m, origin.random()));
        Slot check = Slot.frozen("check", Shape.of(PROJECTIONS, m), origin -> projections(codes(origin)));
        Slot codes = Slot.derived("alpha", Shape.of(layer.weightShape().elements() / size, m), origin -> checked(layer, codes(origin), origin.frozen().get("check")));
        return List.of(dictionary, check, codes, Slot.zero("dD", Shape.of(m, size)));
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        T delta = ops.matmul(theta.get("alpha"), ops.multiply(theta.get("dD"), strength));                  // ΔW = α · ΔD
        return new LayerWeights<>(ops.add(base.weight(), ops.reshape(delta, layer.weightShape())), base.bias());
    }

    private int own(Layer layer) {
        return layer.kernelSize() == 1 ? 1 : atoms;
    }

    private static Tensor codes(Slot.Origin origin) {
        return SparseCoding.codes(FilterAtoms.unfold(origin.base()), origin.frozen().get("D"));
    }

    /// (PROJECTIONS,m): sums of the rows of α with random signs.
    private static Tensor projections(Tensor codes) {
        int rows = Math.toIntExact(codes.shape().size(0)), m = Math.toIntExact(codes.shape().size(1));
        double[] sums = new double[PROJECTIONS * m];
        Noise random = new Noise(SEED, "projections");
        for (int row = 0; row < rows; row++) {
            long signs = random.bits(row);
            for (int p = 0; p < PROJECTIONS; p++) for (int j = 0; j < m; j++) sums[p * m + j] += (signs >>> p & 1) == 0 ? codes.data()[row * m + j] : -codes.data()[row * m + j];
        }
        Tensor projections = Tensor.zeros(Shape.of(PROJECTIONS, m));
        for (int i = 0; i < sums.length; i++) projections.data()[i] = (float) sums[i];
        return projections;
    }

    private static Tensor checked(Layer layer, Tensor codes, Tensor expected) {
        Tensor found = projections(codes);
        double largest = 0, difference = 0;
        for (int i = 0; i < expected.data().length; i++) {
            largest = Math.max(largest, Math.abs(expected.data()[i]));
            difference = Math.max(difference, Math.abs(expected.data()[i] - found.data()[i]));
        }
        if (difference <= 1e-4 * Math.max(largest, 1e-6)) return codes;
        throw new IllegalArgumentException(layer.name() + ": its sparse codes came out otherwise than when it was tuned (off by " + difference / largest + " of the largest); the weights are not those of the base model");
    }
}

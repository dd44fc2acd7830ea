package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Overcomplete atoms: every input channel i has atoms of its own, D_i[j] = Σ_s β[i,j,s] · D1[j,s]; β (Ci,m,m1) and D1 (m,m1,k²) are
/// tuned, the coefficients α stay. A 1×1 kernel has one atom.
/// Source: Chen, Miao, Qiu 2025, figure of the decomposition, panel (2), with linear coding.
public record OvercompleteAtoms(int atoms, int inner) implements TuningMethod {
    private static final int SIDE = 3;

    public OvercompleteAtoms {
        new Coding(atoms, SIDE * SIDE);
        if (inner < 1) throw new IllegalArgumentException("m1: expected at least 1, found " + inner);
    }

    @Override public String name() {
        return "overcomplete";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (layer.kind() != Layer.Kind.CONV) return List.of();
        Coding coding = Coding.of(atoms, layer.kernelSize());
        List<Slot> slots = new ArrayList<>();
        if (!coding.whole()) slots.add(coding.dictionary(FilterAtoms::unfold));
        slots.add(Slot.normal("beta", Shape.of(layer.weightShape().size(1), coding.atoms(), inner), 1 / Math.sqrt(3.0 * inner)));
        slots.add(Slot.zero("D1", Shape.of(coding.atoms(), inner, coding.size())));
        return List.copyOf(slots);
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        return new LayerWeights<>(base.weight(), base.bias(), matrices(ops, layer, theta, strength)).materialized(ops);    // ΔW[o,i] = W[o,i] · Dᵀ · D_i
    }

    @Override public <T> Optional<T> kernelTransform(Ops<T> ops, Layer layer, AdapterParameters<T> theta, T strength) {
        return layer.kernelSize() == 1 ? Optional.empty() : Optional.of(matrices(ops, layer, theta, strength));
    }

    /// Dᵀ · D_i of every input channel, (Ci,k²,k²).
    private <T> T matrices(Ops<T> ops, Layer layer, AdapterParameters<T> theta, T strength) {
        Coding coding = Coding.of(atoms, layer.kernelSize());
        T own = ops.matmul(ops.permute(theta.get("beta"), 1, 0, 2), ops.multiply(theta.get("D1"), strength));           // D_i[j] = Σ_s β[i,j,s] · D1[j,s]
        if (coding.whole()) return ops.permute(own, 1, 0, 2);
        long inputs = layer.weightShape().size(1);
        T turned = ops.matmul(ops.permute(theta.get("D"), 1, 0), ops.reshape(own, Shape.of(coding.atoms(), inputs * coding.size())));
        return ops.permute(ops.reshape(turned, Shape.of(coding.size(), inputs, coding.size())), 1, 0, 2);
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Slots;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Set;

/// Low-rank updates of attention's four projections: W + (α/r) · B · A with α = r; A (r,Ci) starts Kaiming uniform (a = √5), B (Co,r) at zero.
/// Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", equation 3.
public record Lora(int rank) implements TuningMethod {
    private static final Set<String> PROJECTIONS = Set.of("to_q", "to_k", "to_v", "to_out.0");

    public Lora {
        if (rank < 1) throw new IllegalArgumentException("rank: expected at least 1, found " + rank);
    }

    @Override public String name() {
        return "lora";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (layer.kind() != Layer.Kind.LINEAR || PROJECTIONS.stream().noneMatch(end -> layer.name().endsWith("." + end))) return List.of();
        Shape down = Shape.of(rank, layer.weight().size(1));
        return List.of(new Slot("A", down, Slot.Role.TRAINED, (base, random) -> kaiming(down, random)), Slot.zero("B", Shape.of(layer.weight().size(0), rank)));
    }

    @Override public <T> Affine<T> effective(Ops<T> ops, Layer layer, Affine<T> base, Slots<T> theta, T strength) {
        T delta = ops.matmul(ops.multiply(theta.get("B"), strength), theta.get("A"));
        return new Affine<>(ops.add(base.weight(), delta), base.bias());
    }

    /// Uniform within ±√(6 / ((1 + a²) · Ci)) = ±1/√Ci. Source: He et al. 2015, equation 14.
    private static Tensor kaiming(Shape shape, Noise random) {
        Tensor a = Tensor.zeros(shape);
        double bound = 1 / Math.sqrt(shape.size(1));
        for (int i = 0; i < a.data().length; i++) a.data()[i] = (float) ((2 * random.uniform(i) - 1) * bound);
        return a;
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// Low-rank updates: W + (α/r) · B · A; A (r,Ci) starts Kaiming uniform, B (Co,r) at zero. On a convolution A has the kernel and B is 1×1.
/// Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", equation 3; convolutions as LyCORIS' LoCon has them.
public record Lora(int rank, double alpha) implements TuningMethod {
    public Lora {
        new Scale(rank, alpha);
    }

    /// With α = r.
    public Lora(int rank) {
        this(rank, rank);
    }

    @Override public String name() {
        return "lora";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (!layer.isProjection()) return List.of();
        return List.of(Slot.kaiming("A", scale().down(layer)), Slot.zero("B", scale().up(layer)));
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        T b = ops.reshape(ops.scale(ops.multiply(theta.get("B"), strength), scale().factor()), Shape.of(layer.weightShape().size(0), rank));
        T delta = ops.matmul(b, ops.reshape(theta.get("A"), Shape.of(rank, layer.fanIn())));
        return new LayerWeights<>(ops.add(base.weight(), ops.reshape(delta, layer.weightShape())), base.bias());
    }

    private Scale scale() {
        return new Scale(rank, alpha);
    }
}

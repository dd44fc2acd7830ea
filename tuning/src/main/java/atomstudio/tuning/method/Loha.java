package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// The elementwise product of two low-rank matrices: W + (α/r) · (w1a · w1b) ⊙ (w2a · w2b); w1a, w2a (Co,r), w1b, w2b (r, Ci·k²).
/// Source: Hyeon-Woo, Ye-Bin, Oh 2022, "FedPara", proposition 1; start as LyCORIS has it.
public record Loha(int rank, double alpha) implements TuningMethod {
    private static final double DEVIATION = 0.1;

    public Loha {
        new Scale(rank, alpha);
    }

    @Override public String name() {
        return "loha";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (!layer.isProjection()) return List.of();
        Shape up = Shape.of(layer.weightShape().size(0), rank), down = Shape.of(rank, layer.fanIn());
        return List.of(Slot.normal("w1a", up, DEVIATION), Slot.normal("w1b", down, 1), Slot.zero("w2a", up), Slot.normal("w2b", down, 1));
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        T first = ops.matmul(theta.get("w1a"), theta.get("w1b"));
        T second = ops.matmul(ops.scale(ops.multiply(theta.get("w2a"), strength), alpha / rank), theta.get("w2b"));
        return new LayerWeights<>(ops.add(base.weight(), ops.reshape(ops.multiply(first, second), layer.weightShape())), base.bias());
    }
}

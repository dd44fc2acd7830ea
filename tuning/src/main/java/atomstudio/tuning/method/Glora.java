package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// A low-rank change of the weight's inputs and a low-rank shift: W + (α/r) · (W · a1 · a2 + b1 · b2); a1 (Ci,r), a2 (r,Ci), b1 (Co,r),
/// b2 (r,Ci,k,k): on a convolution a1 and a2 mix the input channels of every kernel position alike.
/// Source: Chavan et al. 2023, "One-for-All: Generalized LoRA", equation 10, the two terms and the matrix form that image tools load.
public record Glora(int rank, double alpha) implements TuningMethod {
    public Glora {
        new Scale(rank, alpha);
    }

    @Override public String name() {
        return "glora";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (!layer.isProjection()) return List.of();
        long inputs = layer.weightShape().size(1), outputs = layer.weightShape().size(0);
        return List.of(Slot.kaiming("a1", Shape.of(inputs, rank)), Slot.zero("a2", Shape.of(rank, inputs)),
                Slot.kaiming("b1", Shape.of(outputs, rank)), Slot.zero("b2", new Scale(rank, alpha).down(layer)));
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        T mixed = onInputs(ops, layer, base.weight(), theta.get("a1"), theta.get("a2"));
        T shift = ops.reshape(ops.matmul(theta.get("b1"), ops.reshape(theta.get("b2"), Shape.of(rank, layer.fanIn()))), layer.weightShape());
        return new LayerWeights<>(Strength.plus(ops, base.weight(), ops.scale(ops.add(mixed, shift), alpha / rank), strength), base.bias());
    }

    /// W · a1 · a2 over the input channels.
    private static <T> T onInputs(Ops<T> ops, Layer layer, T weight, T a1, T a2) {
        long outputs = layer.weightShape().size(0), inputs = layer.weightShape().size(1), kernel = layer.kernelSize() * layer.kernelSize();
        if (kernel == 1) return ops.reshape(ops.matmul(ops.matmul(ops.reshape(weight, Shape.of(outputs, inputs)), a1), a2), layer.weightShape());
        T rows = ops.reshape(ops.permute(ops.reshape(weight, Shape.of(outputs, inputs, kernel)), 0, 2, 1), Shape.of(outputs * kernel, inputs));
        T mixed = ops.reshape(ops.matmul(ops.matmul(rows, a1), a2), Shape.of(outputs, kernel, inputs));
        return ops.reshape(ops.permute(mixed, 0, 2, 1), layer.weightShape());
    }
}

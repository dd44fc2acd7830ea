package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// All biases (b + δ), the weights of norms (w + δ), and one scale γ for the last layer of every residual branch (γ · W).
/// Source: Xie et al. 2023, "DiffFit: Unlocking Transferability of Large Diffusion Models", section 3.2.
public record DiffFit() implements TuningMethod {
    /// Where a residual branch of the denoiser ends, by the names of its layers.
    private static final Pattern ENDS = Pattern.compile("(.*\\.)?(resnets\\.\\d+\\.conv2|attn[12]\\.to_out\\.0|ff\\.net\\.2|proj_out)");

    @Override public String name() {
        return "difffit";
    }

    @Override public List<Slot> slots(Layer layer) {
        List<Slot> slots = new ArrayList<>();
        if (layer.kind() == Layer.Kind.NORM) slots.add(Slot.zero("weight", layer.weightShape()));
        if (scaled(layer)) slots.add(Slot.one("gamma", Shape.of(1)));
        if (layer.hasBias()) slots.add(Slot.zero("bias", layer.biasShape()));
        return List.copyOf(slots);
    }

    @Override public boolean changesWeight(Layer layer) {
        return layer.kind() == Layer.Kind.NORM || scaled(layer);
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        T weight = layer.kind() == Layer.Kind.NORM ? Strength.plus(ops, base.weight(), theta.get("weight"), strength)
                : scaled(layer) ? Strength.toward(ops, base.weight(), ops.multiply(base.weight(), theta.get("gamma")), strength) : base.weight();
        return new LayerWeights<>(weight, layer.hasBias() ? Biases.plus(ops, base, theta.get("bias"), strength) : base.bias());
    }

    private static boolean scaled(Layer layer) {
        return layer.isProjection() && ENDS.matcher(layer.name()).matches();
    }
}

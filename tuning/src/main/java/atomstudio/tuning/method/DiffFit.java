package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// All biases (b + δ), the weights of norms (w + δ), and one scale γ for the last layer of every residual branch (γ ·
/// W).
/// Source: Xie et al. 2023, "DiffFit: Unlocking Transferability of Large Diffusion Models", section 3.2.
public record DiffFit() implements TuningMethod {
    /// Where a residual branch of the denoiser ends, by the names of its layers.
    private static final Pattern BRANCH_OUTPUTS = Pattern
            .compile("(.*\\.)?(resnets\\.\\d+\\.conv2|attn[12]\\.to_out\\.0|ff\\.net\\.2|proj_out)");

    @Override
    public String name() {
        return "difffit";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        List<ParameterSpec> specs = new ArrayList<>();
        if (layer.kind() == Layer.Kind.NORM) specs.add(ParameterSpec.zeros("weight", layer.weightShape()));
        if (isBranchOutput(layer)) specs.add(ParameterSpec.ones("gamma", Shape.of(1)));
        if (layer.hasBias()) specs.add(ParameterSpec.zeros("bias", layer.biasShape()));
        return List.copyOf(specs);
    }

    @Override
    public boolean changesWeight(Layer layer) {
        return layer.kind() == Layer.Kind.NORM || isBranchOutput(layer);
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T weight = layer.kind() == Layer.Kind.NORM ? ScaledDelta.add(ops, base.weight(), parameters.get("weight"),
                adapterWeight)
                : isBranchOutput(layer) ? ScaledDelta.interpolate(ops, base.weight(),
                        ops.multiply(base.weight(), parameters.get("gamma")), adapterWeight)
                : base.weight();
        return new LayerWeights<>(weight,
                layer.hasBias() ? Biases.addDelta(ops, base, parameters.get("bias"), adapterWeight) : base.bias());
    }

    private static boolean isBranchOutput(Layer layer) {
        return layer.isProjection() && BRANCH_OUTPUTS.matcher(layer.name()).matches();
    }
}

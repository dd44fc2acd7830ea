package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// All biases (b + δ), the weights of norms (w + δ), and one scale γ for the last layer of every residual branch
/// (γ · W).
/// Source: Xie et al. 2023, "DiffFit: Unlocking Transferability of Large Diffusion Models", section 3.2.
public record DiffFit() implements TuningMethod {
    private static final Pattern BRANCH_OUTPUTS = Pattern
            .compile("(.*\\.)?(resnets\\.\\d+\\.conv2|attn[12]\\.to_out\\.0|ff\\.net\\.2|proj_out)");

    @Override
    public String name() {
        return "difffit";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        if (layer.kind() == Layer.Kind.NORM) return ScaledDelta.weightAndBiasSpecs(layer);
        Stream<ParameterSpec> gamma = isBranchOutput(layer) ? Stream.of(ParameterSpec.ones("gamma", Shape.of(1)))
                : Stream.of();
        return Stream.concat(gamma, ScaledDelta.biasSpecs(layer).stream()).toList();
    }

    @Override
    public boolean changesWeight(Layer layer) {
        return layer.kind() == Layer.Kind.NORM || isBranchOutput(layer);
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        if (layer.kind() == Layer.Kind.NORM)
            return ScaledDelta.addWeightAndBias(ops, layer, base, parameters, adapterWeight);
        if (!isBranchOutput(layer)) return ScaledDelta.addBias(ops, layer, base, parameters, adapterWeight);
        T scaled = ops.multiply(base.weight(), parameters.get("gamma"));
        T weight = ScaledDelta.interpolate(ops, base.weight(), scaled, adapterWeight);
        return ScaledDelta.addBias(ops, layer, new LayerWeights<>(weight, base.bias()), parameters, adapterWeight);
    }

    private static boolean isBranchOutput(Layer layer) {
        return layer.isProjection() && BRANCH_OUTPUTS.matcher(layer.name()).matches();
    }
}

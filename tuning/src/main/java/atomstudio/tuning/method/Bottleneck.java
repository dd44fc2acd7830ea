package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/// A small network between states of a transformer, up · f(down · x + b) + c: its width r is less than that of the
/// states. With zero `up` and c it is zero at initialization.
record Bottleneck(int width) {
    /// The layers with which the sublayers of a transformer block end.
    static final Pattern ATTENTION_OUTPUTS = Pattern
            .compile("(.*\\.)?(attn[12]\\.to_out\\.0|attention\\.output\\.dense)");
    static final Pattern FEED_FORWARD_OUTPUTS = Pattern.compile("(.*\\.)?(ff\\.net\\.2|layer\\.\\d+\\.output\\.dense)");

    Bottleneck {
        if (width < 1) throw new IllegalArgumentException("bottleneck: expected at least 1, found " + width);
    }

    /// Of states as wide as the layer's output.
    List<ParameterSpec> parameterSpecs(Layer layer) {
        long channels = layer.weightShape().size(0);
        return List.of(ParameterSpec.kaimingUniform("down", Shape.of(width, channels)),
                ParameterSpec.zeros("down_bias", Shape.of(width)),
                ParameterSpec.zeros("up", Shape.of(channels, width)),
                ParameterSpec.zeros("up_bias", Shape.of(channels)));
    }

    /// factor · (up · f(down · x + b) + c), of x (B, S, C). The factor, of shape (1), scales weights, since
    /// activations may have another precision.
    static <T> T apply(Ops<T> ops, T x, UnaryOperator<T> activation, Adaptation.AdapterParameters<T> parameters,
            T factor) {
        T hidden = activation
                .apply(ops.linear(x, new LayerWeights<>(parameters.get("down"), parameters.get("down_bias"))));
        return ops.linear(hidden, new LayerWeights<>(ops.multiply(parameters.get("up"), factor),
                ops.multiply(parameters.get("up_bias"), factor)));
    }

    static boolean matches(Pattern outputs, Layer layer) {
        return layer.kind() == Layer.Kind.LINEAR && outputs.matcher(layer.name()).matches();
    }
}

package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerCall;
import atomstudio.diffusion.ops.Ops;
import java.util.List;

/// A bottleneck after every sublayer of a transformer block, the attentions and the feed-forward, before its residual
/// connection: y + up · GELU(down · y).
/// Source: Houlsby et al. 2019, "Parameter-Efficient Transfer Learning for NLP", section 2.1.
public record SerialAdapter(int width) implements BranchMethod {
    public SerialAdapter {
        new Bottleneck(width);
    }

    @Override
    public String name() {
        return "serial-adapter";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return Bottleneck.matches(Bottleneck.ATTENTION_OUTPUTS, layer)
                || Bottleneck.matches(Bottleneck.FEED_FORWARD_OUTPUTS, layer)
                        ? new Bottleneck(width).parameterSpecs(layer)
                        : List.of();
    }

    @Override
    public <T> T branch(Ops<T> ops, LayerCall<T> call, AdapterParameters<T> parameters, T adapterWeight) {
        return Bottleneck.apply(ops, call.output(), ops::gelu, parameters, adapterWeight);
    }
}

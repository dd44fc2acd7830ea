package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerCall;
import atomstudio.diffusion.ops.Ops;
import java.util.List;

/// A bottleneck beside the feed-forward of a transformer block: y + s · up · ReLU(down · x). x is the input of the
/// sublayer before its norm, as in the code of AdaptFormer, whose scale s is 0.1.
/// Source: He et al. 2022, "Towards a Unified View of Parameter-Efficient Transfer Learning", section 3.3; Chen et al.
/// 2022, "AdaptFormer: Adapting Vision Transformers for Scalable Visual Recognition", equation 3.
public record ParallelAdapter(int width, double scale) implements BranchMethod {
    public ParallelAdapter {
        new Bottleneck(width);
    }

    @Override
    public String name() {
        return "parallel-adapter";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return Bottleneck.matches(Bottleneck.FEED_FORWARD_OUTPUTS, layer)
                ? new Bottleneck(width).parameterSpecs(layer)
                : List.of();
    }

    @Override
    public <T> T branch(Ops<T> ops, LayerCall<T> call, AdapterParameters<T> parameters, T adapterWeight) {
        return Bottleneck.apply(ops, call.sublayerInput(), ops::relu, parameters, ops.scale(adapterWeight, scale));
    }
}

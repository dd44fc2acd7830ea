package atomstudio.tuning.method;

import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;

/// Changes of a layer's bias.
final class Biases {
    private Biases() {}

    /// b + s · change; s · change where the layer has no bias.
    static <T> T addDelta(Ops<T> ops, LayerWeights<T> base, T delta, T adapterWeight) {
        T scaled = ops.multiply(delta, adapterWeight);
        return base.bias() == null ? scaled : ops.add(base.bias(), scaled);
    }
}

package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.LayerWeights;
import java.util.List;

/// A linear layer or 1×1 convolution with a transform of its channel blocks. The effective weight is computed in chunks
/// of output channels, in the forward pass and again in the backward pass: neither the weight nor its gradient exists
/// as a whole, and a chunk fits in the CPU's cache. Autograd would save the weight twice.
/// @param layer weight (Co, Ci) or (Co, Ci, 1, 1) and block transform (b², b²); its bias is frozen
record ChannelAtomLinear(TorchKernels kernels, LayerWeights<NDArray> layer)
        implements CustomFunction.OfKernelTransform {
    @Override
    public NDArray forward(NDArray x) {
        NDArray bias = layer.bias();
        return bias == null
                ? kernels.call("channel_atom_linear", x, layer.weight(), kernelTransform(), blockSide(), chunk())
                : kernels.call("biased_channel_atom_linear", x, layer.weight(), bias, kernelTransform(), blockSide(),
                        chunk());
    }

    @Override
    public Gradients backward(NDArray x, NDArray gradient, boolean needsInputGradient) {
        List<NDArray> found = kernels.callForTensors("channel_atom_gradients", gradient, x, layer.weight(),
                kernelTransform(), blockSide(), chunk(), needsInputGradient ? 1 : 0);
        return gradients(needsInputGradient ? found.get(1) : null, found::getFirst);
    }

    private long blockSide() {
        return LayerWeights.blockSide(DjlShapes.shape(kernelTransform()));
    }

    private long chunk() {
        return KernelThresholds.channelAtomChunk(DjlShapes.shape(layer.weight()), blockSide());
    }
}

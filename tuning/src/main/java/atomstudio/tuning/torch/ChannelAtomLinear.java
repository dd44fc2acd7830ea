package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.torch.GradientOps.LayerGradients;
import atomstudio.tuning.torch.GradientOps.Wanted;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A linear layer or 1×1 convolution with a transform of its channel blocks. The effective weight is computed in chunks
/// of output channels, in the forward pass and again in the backward pass: neither the weight nor its gradient exists
/// as a whole, and a chunk fits in the CPU's cache. Autograd would save the weight twice.
/// @param layer weight (Co, Ci) or (Co, Ci, 1, 1) and block transform (b², b²)
record ChannelAtomLinear(TorchKernels kernels, LayerWeights<NDArray> layer)
        implements TransformedLayer {
    @Override
    public NDArray forward(NDArray x) {
        NDArray bias = layer.bias();
        return bias == null
                ? kernels.call("channel_atom_linear", x, layer.weight(), kernelTransform(), blockSide(), chunk())
                : kernels.call("biased_channel_atom_linear", x, layer.weight(), bias, kernelTransform(), blockSide(),
                        chunk());
    }

    @Override
    public LayerGradients<NDArray> gradients(NDArray gradient, @Nullable NDArray x, Shape shape, Wanted wanted) {
        if (x == null) throw new IllegalArgumentException("channel atoms: the transform is not trained");
        List<NDArray> found = kernels.callForTensors("channel_atom_gradients", gradient, x, layer.weight(),
                kernelTransform(), blockSide(), chunk(), wanted.input() ? 1 : 0);
        return new LayerGradients<>(wanted.input() ? found.getLast() : null, found.getFirst(), null);
    }

    private long blockSide() {
        return LayerWeights.blockSide(DjlShapes.shape(kernelTransform()));
    }

    private long chunk() {
        return KernelThresholds.channelAtomChunk(DjlShapes.shape(layer.weight()), blockSide());
    }
}

package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;

/// A convolution with a kernel transform that is applied to the activations instead of the weight: the input is
/// unfolded, its k² taps are transformed, and multiplied with the base weight as one matrix. Neither an effective
/// weight nor its gradient is computed, and only the input is saved for the backward pass; autograd would save the
/// unfolded input, k² times as large.
/// Source: Chen, Miao, Qiu 2025, section 3.1 (the two steps Z' = D * X, Z = α × Z'), in the other order: here the atoms
/// act on X.
/// @param layer    weight (Co, Ci, k, k) and kernel transform (k², k²) or (Ci, k², k²); the caller adds the bias
/// @param geometry with the same padding on all sides
record AtomConvolution(TorchKernels kernels, LayerWeights<NDArray> layer, Ops.ConvGeometry geometry)
        implements CustomFunction.OfKernelTransform {
    static boolean isFaster(NDArray x, LayerWeights<NDArray> layer, Ops.ConvGeometry geometry) {
        return layer.kernelTransform() != null && KernelThresholds.prefersAtomsOnActivations(DjlShapes.shape(x),
                DjlShapes.shape(layer.weight()), geometry);
    }

    @Override
    public NDArray forward(NDArray x) {
        return kernels.call("atom_convolution", x, layer.weight(), kernelTransform(), geometry.stride(),
                geometry.padTop());
    }

    @Override
    public Gradients backward(NDArray x, NDArray gradient, boolean needsInputGradient) {
        NDArray tapGradient = kernels.call("atom_tap_gradient", gradient, layer.weight());
        return gradients(needsInputGradient ? gradient("atom_input_gradient", x, tapGradient) : null,
                () -> gradient("atom_transform_gradient", x, tapGradient));
    }

    private NDArray gradient(String kernel, NDArray x, NDArray tapGradient) {
        return kernels.call(kernel, x, tapGradient, layer.weight(), kernelTransform(), geometry.stride(),
                geometry.padTop());
    }
}

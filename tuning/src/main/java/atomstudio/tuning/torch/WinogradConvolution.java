package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Winograd;
import atomstudio.diffusion.tensor.Tensor;

/// A frozen 3×3 convolution by Winograd's minimal filtering, with its gradients with respect to the input and to the
/// kernel transform M. Transformed kernels use G · (I + M)ᵀ instead of the filter transform G, so neither an effective
/// weight nor its gradient is computed. Autograd would save the transformed kernels, four times the weights.
/// @param layer weight (Co, Ci, 3, 3) and kernel transform (9, 9) or null; the caller adds the bias
record WinogradConvolution(TorchKernels kernels, LayerWeights<NDArray> layer)
        implements CustomFunction.OfKernelTransform {
    /// Whether this is faster; only on the CPU.
    static boolean isFaster(NDArray x, LayerWeights<NDArray> layer, Ops.ConvGeometry geometry) {
        boolean shared = layer.kernelTransform() == null || layer.kernelTransform().getShape().dimension() == 2;
        return shared && !x.getDevice().isGpu()
                && KernelThresholds.prefersWinograd(DjlShapes.shape(x), DjlShapes.shape(layer.weight()), geometry);
    }

    @Override
    public NDArray forward(NDArray x) {
        return kernels.call("winograd_convolution", x, layer.weight(), kernels.constant(Winograd.inputTransform()),
                filter(Winograd.filterTransform()), kernels.constant(Winograd.outputTransform()), chunk());
    }

    @Override
    public Gradients backward(NDArray x, NDArray gradient, boolean needsInputGradient) {
        return gradients(needsInputGradient ? inputGradient(gradient) : null, () -> transformGradient(x, gradient));
    }

    NDArray inputGradient(NDArray gradient) {
        return kernels.call("winograd_input_gradient", gradient, layer.weight(),
                kernels.constant(Winograd.inputTransform()), filter(rotated(Winograd.filterTransform())),
                kernels.constant(Winograd.outputTransform()), chunk());
    }

    private NDArray transformGradient(NDArray x, NDArray gradient) {
        return kernels.call("winograd_transform_gradient", x, gradient, layer.weight(),
                kernels.constant(Winograd.inputTransform()), kernels.constant(Winograd.filterTransform()),
                kernels.constant(Winograd.outputTransform()), chunk());
    }

    private NDArray filter(Tensor transform) {
        NDArray filter = kernels.constant(transform);
        return layer.kernelTransform() == null ? filter
                : kernels.call("winograd_filter", filter, layer.kernelTransform());
    }

    private long chunk() {
        return KernelThresholds.winogradChunk(DjlShapes.shape(layer.weight()));
    }

    /// The transform of kernels rotated by 180°.
    private static Tensor rotated(Tensor map) {
        float[] rotated = new float[map.data().length];
        for (int i = 0; i < rotated.length; i++) rotated[i] = map.data()[i / 9 * 9 + 8 - i % 9];
        return new Tensor(map.shape(), rotated);
    }
}

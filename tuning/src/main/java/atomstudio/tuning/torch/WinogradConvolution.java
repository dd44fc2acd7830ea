package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Winograd;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.GradientOps.LayerGradients;
import atomstudio.tuning.torch.GradientOps.Wanted;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A frozen 3×3 convolution by Winograd's minimal filtering, with its gradients with respect to the input and to the
/// kernel transform M. Transformed kernels use G · (I + M)ᵀ instead of the filter transform G, so neither an effective
/// weight nor its gradient is computed. Autograd would save the transformed kernels, four times the weights.
/// @param layer weight (Co, Ci, 3, 3) and kernel transform (9, 9) or null
record WinogradConvolution(TorchKernels kernels, LayerWeights<NDArray> layer)
        implements TransformedLayer {
    @Override
    public NDArray forward(NDArray x) {
        return TorchKernels.addBias(
                kernels.call("winograd_convolution", x, layer.weight(), kernels.constant(Winograd.inputTransform()),
                        filter(Winograd.filterTransform()), kernels.constant(Winograd.outputTransform()), chunk()),
                layer);
    }

    @Override
    public LayerGradients<NDArray> gradients(NDArray gradient, @Nullable NDArray x, Shape shape, Wanted wanted) {
        return new LayerGradients<>(wanted.input() ? inputGradient(gradient) : null,
                wanted.weight() ? transformGradient(Objects.requireNonNull(x), gradient) : null, null);
    }

    private NDArray inputGradient(NDArray gradient) {
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

package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.torch.GradientOps.LayerGradients;
import atomstudio.tuning.torch.GradientOps.Wanted;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A convolution with a kernel transform that is applied to the activations instead of the weight: the input is
/// unfolded, its k² taps are transformed, and multiplied with the base weight as one matrix. Neither an effective
/// weight nor its gradient is computed, and only the input is saved for the backward pass; autograd would save the
/// unfolded input, k² times as large.
/// Source: Chen, Miao, Qiu 2025, section 3.1 (the two steps Z' = D * X, Z = α × Z'), in the other order: here the atoms
/// act on X.
/// @param layer    weight (Co, Ci, k, k) and kernel transform (k², k²) or (Ci, k², k²)
/// @param geometry with the same padding on all sides
record AtomConvolution(TorchKernels kernels, LayerWeights<NDArray> layer, Ops.ConvGeometry geometry)
        implements TransformedLayer {
    @Override
    public NDArray forward(NDArray x) {
        return TorchKernels.addBias(kernels.call("atom_convolution", x, layer.weight(), kernelTransform(),
                geometry.stride(), geometry.padTop()), layer);
    }

    @Override
    public LayerGradients<NDArray> gradients(NDArray gradient, @Nullable NDArray x, Shape shape, Wanted wanted) {
        NDArray tapGradient = kernels.call("atom_tap_gradient", gradient, layer.weight());
        NDArray input = wanted.input()
                ? kernels.call("atom_input_gradient", tapGradient, layer.weight(), kernelTransform(), geometry.stride(),
                        geometry.padTop(), shape.size(0), shape.size(2), shape.size(3))
                : null;
        NDArray transform = wanted.weight()
                ? kernels.call("atom_transform_gradient", Objects.requireNonNull(x), tapGradient, layer.weight(),
                        kernelTransform(), geometry.stride(), geometry.padTop())
                : null;
        return new LayerGradients<>(input, transform, null);
    }
}

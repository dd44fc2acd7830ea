package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A layer with a kernel transform, computed without its effective weight or that weight's gradient.
sealed interface TransformedLayer permits WinogradConvolution, AtomConvolution, ChannelAtomLinear {
    LayerWeights<NDArray> layer();

    NDArray forward(NDArray x);

    /// With respect to the input and the kernel transform, where wanted.
    /// @param x     null unless the transform's gradient is wanted
    /// @param shape of x
    GradientOps.LayerGradients<NDArray> gradients(NDArray gradient, @Nullable NDArray x, Shape shape,
            GradientOps.Wanted wanted);

    default NDArray kernelTransform() {
        return Objects.requireNonNull(layer().kernelTransform());
    }
}

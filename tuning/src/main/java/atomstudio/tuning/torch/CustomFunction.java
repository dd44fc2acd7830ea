package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.LayerWeights;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// An operation with its own backward pass, as PyTorch's `autograd.Function`; autograd does not record it.
interface CustomFunction {
    NDArray forward(NDArray input);

    default boolean isTrainable() { return !savedTensors().isEmpty(); }

    /// Tensors that the backward pass needs besides the input, and that the segment they were made in would free.
    List<NDArray> savedTensors();

    /// The gradients with respect to the input, if needed, and to the trainable tensors. Not recorded.
    Gradients backward(NDArray input, NDArray gradient, boolean needsInputGradient);

    record Gradients(@Nullable NDArray input, List<TensorGradient> trainable) {
        public Gradients {
            trainable = List.copyOf(trainable);
        }
    }

    /// The gradient with respect to a recorded tensor.
    record TensorGradient(NDArray tensor, NDArray gradient) {}

    /// A function of a frozen layer with a trainable kernel transform.
    interface OfKernelTransform extends CustomFunction {
        TorchKernels kernels();

        LayerWeights<NDArray> layer();

        default NDArray kernelTransform() {
            return Objects.requireNonNull(layer().kernelTransform());
        }

        @Override
        default List<NDArray> savedTensors() {
            NDArray transform = layer().kernelTransform();
            return transform == null || !kernels().requiresGrad(transform) ? List.of() : List.of(transform);
        }

        default Gradients gradients(@Nullable NDArray input, Supplier<NDArray> transformGradient) {
            return new Gradients(input,
                    savedTensors().stream()
                            .map(transform -> new TensorGradient(transform, transformGradient.get()))
                            .toList());
        }
    }
}

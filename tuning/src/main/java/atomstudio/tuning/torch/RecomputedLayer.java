package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A convolution or linear layer whose effective weight is computed in the forward pass and again in the backward
/// pass, so that only the input is saved in between; autograd would save the weight, and the tensors it was computed
/// from, of every layer.
/// @param ops      without a tape
/// @param layer    not yet materialized
/// @param geometry of a convolution, with the same padding on all sides; null for a linear layer
record RecomputedLayer(EagerOps ops, TorchKernels kernels, LayerWeights<NDArray> layer,
        Ops.@Nullable ConvGeometry geometry) implements CustomFunction {
    @Override
    public NDArray forward(NDArray x) {
        LayerWeights<NDArray> materialized = layer.materialized(ops);
        if (geometry == null) return ops.linear(x, materialized);
        return winograd(x, materialized).map(fast -> TorchKernels.addBias(fast.forward(x), materialized))
                .orElseGet(() -> ops.conv2d(x, materialized, geometry));
    }

    private Optional<WinogradConvolution> winograd(NDArray x, LayerWeights<NDArray> materialized) {
        boolean isFaster = ops.computeDtype() == ComputeDtype.FP32
                && WinogradConvolution.isFaster(x, materialized, Objects.requireNonNull(geometry));
        return isFaster ? Optional.of(new WinogradConvolution(kernels, materialized)) : Optional.empty();
    }

    @Override
    public boolean isTrainable() { return true; }

    @Override
    public List<NDArray> savedTensors() {
        return layer.kernelTransform() == null ? List.of() : List.of(layer.kernelTransform());
    }

    @Override
    public Gradients backward(NDArray x, NDArray gradient, boolean needsInputGradient) {
        LayerWeights<NDArray> materialized = Tape.enableGrad(() -> ops.inActivationDtype(layer.materialized(ops)));
        NDArray bias = materialized.bias();
        NDArray weightGradient = weightGradient(x, materialized.weight(), gradient);
        List<TensorGradient> trainable = new ArrayList<>(
                List.of(new TensorGradient(materialized.weight(), weightGradient)));
        if (bias != null && kernels.requiresGrad(bias))
            trainable.add(new TensorGradient(bias, biasGradient(gradient)));
        return new Gradients(needsInputGradient ? inputGradient(x, materialized, gradient) : null, trainable);
    }

    private NDArray inputGradient(NDArray x, LayerWeights<NDArray> materialized, NDArray gradient) {
        if (geometry == null) return JniUtils.matmul((PtNDArray) gradient, (PtNDArray) materialized.weight());
        return winograd(x, materialized).map(fast -> fast.inputGradient(gradient))
                .orElseGet(() -> convolutionGradient("convolution_input_gradient", gradient, x, materialized.weight()));
    }

    private NDArray weightGradient(NDArray x, NDArray weight, NDArray gradient) {
        return geometry == null ? kernels.call("linear_weight_gradient", gradient, x)
                : convolutionGradient("convolution_weight_gradient", gradient, x, weight);
    }

    private NDArray biasGradient(NDArray gradient) {
        return kernels.call(geometry == null ? "linear_bias_gradient" : "convolution_bias_gradient", gradient);
    }

    private NDArray convolutionGradient(String kernel, NDArray gradient, NDArray x, NDArray weight) {
        Ops.ConvGeometry conv = Objects.requireNonNull(geometry);
        return kernels.call(kernel, gradient, x, weight, conv.stride(), conv.padTop());
    }
}

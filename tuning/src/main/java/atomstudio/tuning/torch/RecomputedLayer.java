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
/// @param geometry of a convolution, with symmetric padding; null for a linear layer
record RecomputedLayer(EagerOps ops, TorchKernels kernels, LayerWeights<NDArray> layer,
        Ops.@Nullable ConvGeometry geometry) implements CustomFunction {
    private static final String[] BACKWARD_ARGUMENTS = {"y", "x", "w"};

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
        return winograd(x, materialized).map(fast -> fast.backward(x, gradient, true).input())
                .orElseGet(() -> convolutionBackward("input", "g", "True, False", gradient, x, materialized.weight()));
    }

    private NDArray weightGradient(NDArray x, NDArray weight, NDArray gradient) {
        if (geometry != null) return convolutionBackward("weight", "h", "False, True", gradient, x, weight);
        String body = "return torch.matmul(torch.transpose(torch.reshape(y, [-1, torch.size(y, -1)]), 0, 1), "
                + "torch.reshape(x, [-1, torch.size(x, -1)]))";
        return kernels.script("linear by weight", new String[] {"y", "x"}, new String[] {body}, gradient, x);
    }

    private NDArray biasGradient(NDArray gradient) {
        String sum = geometry == null ? "torch.sum(torch.reshape(y, [-1, torch.size(y, -1)]), [0], False)"
                : "torch.sum(y, [0, 2, 3], False)";
        return kernels.script("by bias " + (geometry == null), new String[] {"y"}, new String[] {"return " + sum},
                gradient);
    }

    private NDArray convolutionBackward(String target, String result, String mask, NDArray... inputs) {
        Ops.ConvGeometry conv = Objects.requireNonNull(geometry);
        String stride = "[" + conv.stride() + ", " + conv.stride() + "]",
                padding = "[" + conv.padTop() + ", " + conv.padLeft() + "]";
        String[] body = {
                "g, h, _ = torch.convolution_backward(y, x, w, None, " + stride + ", " + padding
                        + ", [1, 1], False, [0, 0], 1, [" + mask + ", False])",
                "return " + result};
        return kernels.script("convolution by " + target + " " + conv, BACKWARD_ARGUMENTS, body, inputs);
    }
}

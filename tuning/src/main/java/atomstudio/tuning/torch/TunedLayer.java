package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import atomstudio.diffusion.ops.ConvGeometry;
import atomstudio.diffusion.ops.LayerWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A convolution or linear layer whose weight a method computes from the base weight. The weight is made for the forward pass and made again
/// for the gradients, so that between them only the input is held; PyTorch's recording would keep it, and what it was made of, of every layer.
/// @param ops      that carry no tape
/// @param layer    still to be changed
/// @param geometry of a convolution, the same on both sides; none for a linear layer
record TunedLayer(EagerOps ops, Kernels kernels, LayerWeights<NDArray> layer, @Nullable ConvGeometry geometry) implements Tape.Own {
    private static final String[] OF = {"y", "x", "w"};

    @Override public NDArray output(NDArray x) {
        LayerWeights<NDArray> made = layer.materialized(ops);
        if (geometry == null) return ops.linear(x, made);
        return fast(x, made).map(fast -> Kernels.biased(fast.output(x), made)).orElseGet(() -> ops.conv2d(x, made, geometry));
    }

    private Optional<WinogradConvolution> fast(NDArray x, LayerWeights<NDArray> made) {
        boolean pays = ops.precision() == Precision.FP32 && WinogradConvolution.pays(x, made, Objects.requireNonNull(geometry));
        return pays ? Optional.of(new WinogradConvolution(kernels, made)) : Optional.empty();
    }

    @Override public boolean trains() {
        return true;
    }

    @Override public List<NDArray> kept() {
        return layer.kernelTransform() == null ? List.of() : List.of(layer.kernelTransform());
    }

    @Override public Tape.Gradients gradients(NDArray x, NDArray gradient, boolean byInput) {
        LayerWeights<NDArray> made = Tape.recorded(() -> ops.entered(layer.materialized(ops)));
        NDArray bias = made.bias();
        List<Tape.Part> trained = new ArrayList<>(List.of(new Tape.Part(made.weight(), byWeight(x, made.weight(), gradient))));
        if (bias != null && kernels.recorded(bias)) trained.add(new Tape.Part(bias, byBias(gradient)));
        return new Tape.Gradients(byInput ? byInput(x, made, gradient) : null, trained);
    }

    private NDArray byInput(NDArray x, LayerWeights<NDArray> made, NDArray gradient) {
        if (geometry == null) return JniUtils.matmul((PtNDArray) gradient, (PtNDArray) made.weight());
        return fast(x, made).map(fast -> fast.gradients(x, gradient, true).input()).orElseGet(() -> convolution("input", "g", "True, False", gradient, x, made.weight()));
    }

    private NDArray byWeight(NDArray x, NDArray weight, NDArray gradient) {
        if (geometry != null) return convolution("weight", "h", "False, True", gradient, x, weight);
        String body = "return torch.matmul(torch.transpose(torch.reshape(y, [-1, torch.size(y, -1)]), 0, 1), torch.reshape(x, [-1, torch.size(x, -1)]))";
        return kernels.script("linear by weight", new String[] {"y", "x"}, new String[] {body}, gradient, x);
    }

    private NDArray byBias(NDArray gradient) {
        String sum = geometry == null ? "torch.sum(torch.reshape(y, [-1, torch.size(y, -1)]), [0], False)" : "torch.sum(y, [0, 2, 3], False)";
        return kernels.script("by bias " + (geometry == null), new String[] {"y"}, new String[] {"return " + sum}, gradient);
    }

    private NDArray convolution(String by, String result, String mask, NDArray... inputs) {
        ConvGeometry sides = Objects.requireNonNull(geometry);
        String stride = "[" + sides.stride() + ", " + sides.stride() + "]", padding = "[" + sides.padTop() + ", " + sides.padLeft() + "]";
        String[] body = {
            "g, h, _ = torch.convolution_backward(y, x, w, None, " + stride + ", " + padding + ", [1, 1], False, [0, 0], 1, [" + mask + ", False])",
            "return " + result};
        return kernels.script("convolution by " + by + " " + sides, OF, body, inputs);
    }
}

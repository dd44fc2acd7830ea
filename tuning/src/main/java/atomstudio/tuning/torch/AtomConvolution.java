package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;

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
    /// Measured (docs/performance.md): activations cost k² · Ci values per pixel, an effective weight and its gradient
    /// k² · Ci · Co values each; this way is faster with many channels and few pixels.
    private static final double MIN_COST_RATIO = 1200;
    private static final double PIXELS_AT_EQUAL_COST = 1000;
    /// Below it the overhead of the calls dominates.
    private static final long MIN_CHANNEL_PRODUCT = 1 << 18;
    private static final String BATCH_AND_CHANNELS = "b, n = torch.size(x, 0), torch.size(x, 1)";

    static boolean isFaster(NDArray x, LayerWeights<NDArray> layer, Ops.ConvGeometry geometry) {
        return layer.kernelTransform() != null
                && isFaster(DjlShapes.shape(x), DjlShapes.shape(layer.weight()), geometry);
    }

    /// Whether this is faster for an input (B, Ci, H, W) and a weight (Co, Ci, k, k).
    static boolean isFaster(Shape x, Shape weight, Ops.ConvGeometry geometry) {
        boolean symmetric = geometry.padTop() == geometry.padBottom() && geometry.padLeft() == geometry.padRight()
                && geometry.padTop() == geometry.padLeft();
        long out = weight.size(0), in = weight.size(1);
        double pixels = (double) x.size(0) * x.size(2) * x.size(3) / geometry.stride() / geometry.stride();
        return symmetric && in * out >= MIN_CHANNEL_PRODUCT
                && out * (1 + PIXELS_AT_EQUAL_COST / pixels) > MIN_COST_RATIO;
    }

    @Override
    public NDArray forward(NDArray x) {
        String[] body = {
                BATCH_AND_CHANNELS, unfoldedInput(), expandedTransform(),
                "z = torch.reshape(torch.baddbmm(c, e, c), [b, -1, torch.size(c, 2)])",
                "h = torch.add(torch.floordiv(torch.add(torch.size(x, 2), " + (2 * geometry.padTop() - kernel()) + "), "
                        + geometry.stride() + "), 1)",
                "return torch.reshape(torch.bmm(" + weightMatrix() + ", z), [b, torch.size(w, 0), h, -1])"};
        return kernels.script(name("output"), new String[] {"x", "w", "m"}, body, x, layer.weight(), kernelTransform());
    }

    @Override
    public Gradients backward(NDArray x, NDArray gradient, boolean needsInputGradient) {
        String[] body = {"b = torch.size(y, 0)",
                "u = torch.bmm(torch.transpose(" + weightMatrix()
                        + ", 1, 2), torch.reshape(y, [b, torch.size(w, 0), -1]))",
                "return torch.reshape(u, [torch.mul(b, torch.size(w, 1)), " + taps() + ", -1])"};
        NDArray tapGradient = kernels.script(name("tap gradient"), new String[] {"y", "w"}, body, gradient,
                layer.weight());
        return gradients(needsInputGradient ? inputGradient(x, tapGradient) : null,
                () -> transformGradient(x, tapGradient));
    }

    /// @param tapGradient the gradient of the transformed taps, (B·Ci, k², pixels)
    private NDArray inputGradient(NDArray x, NDArray tapGradient) {
        String[] body = {
                BATCH_AND_CHANNELS, expandedTransform(),
                "c = torch.reshape(torch.baddbmm(u, torch.transpose(e, 1, 2), u), [b, -1, torch.size(u, 2)])",
                "return torch.col2im(c, [torch.size(x, 2), torch.size(x, 3)], " + window() + ")"};
        return kernels.script(name("input gradient"), new String[] {"x", "u", "m"}, body, x, tapGradient,
                kernelTransform());
    }

    private NDArray transformGradient(NDArray x, NDArray tapGradient) {
        String reducedAxes = kernelTransform().getShape().dimension() == 2 ? "[0, 1]" : "[0]";
        String[] body = {
                BATCH_AND_CHANNELS, unfoldedInput(),
                "return torch.sum(torch.reshape(torch.bmm(u, torch.transpose(c, 1, 2)), [b, n, " + taps() + ", "
                        + taps() + "]), " + reducedAxes + ", False)"};
        return kernels.script(name("transform gradient " + reducedAxes), new String[] {"x", "u"}, body, x, tapGradient);
    }

    /// c, the taps (B·Ci, k², pixels) of x.
    private String unfoldedInput() {
        return "c = torch.reshape(torch.im2col(x, " + window() + "), [torch.mul(b, n), " + taps() + ", -1])";
    }

    /// e, the transform of each channel of each sample.
    private String expandedTransform() {
        return "e = torch.reshape(torch.expand(m, [b, n, " + taps() + ", " + taps() + "]), [torch.mul(b, n), " + taps()
                + ", " + taps() + "])";
    }

    private static String weightMatrix() {
        return "torch.expand(torch.reshape(w, [1, torch.size(w, 0), -1]), [b, -1, -1])";
    }

    private String window() {
        String pad = geometry.padTop() + ", " + geometry.padTop(),
                stride = geometry.stride() + ", " + geometry.stride();
        return "[" + kernel() + ", " + kernel() + "], [1, 1], [" + pad + "], [" + stride + "]";
    }

    private long kernel() {
        return layer.weight().getShape().get(2);
    }

    private long taps() {
        return kernel() * kernel();
    }

    private String name(String operation) {
        return "atom convolution " + operation + ", " + kernel() + ", " + geometry;
    }
}

package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// A linear layer or 1×1 convolution with a transform of its channel blocks. The effective weight is computed in chunks
/// of output channels, in the forward pass and again in the backward pass: neither the weight nor its gradient exists
/// as a whole, and a chunk fits in the CPU's cache. Autograd would save the weight twice.
/// @param layer weight (Co, Ci) or (Co, Ci, 1, 1) and block transform (b², b²); its bias is frozen
record ChannelAtomLinear(TorchKernels kernels, LayerWeights<NDArray> layer)
        implements CustomFunction.OfKernelTransform {
    /// Size of a chunk of the weight; measured (docs/performance.md).
    private static final long MAX_CHUNK_ELEMENTS = 1L << 21;

    @Override
    public NDArray forward(NDArray x) {
        List<String> body = new ArrayList<>();
        List<String> parts = new ArrayList<>();
        if (isConvolution()) body.add("p = torch.reshape(x, [torch.size(x, 0), " + inputChannels() + ", -1])");
        for (long from = 0; from < outputChannels(); from += chunkChannels()) {
            body.addAll(chunkStatements(from));
            String bias = "torch.slice(h, 0, " + from + ", " + chunkEnd(from) + ", 1)", part = "y" + from;
            body.add(part + " = "
                    + (isConvolution() ? addBias("torch.matmul(e, p)", "torch.reshape(" + bias + ", [-1, 1])")
                            : "torch.linear(x, e, " + (layer.bias() == null ? "None" : bias) + ")"));
            parts.add(part);
        }
        String all = parts.size() == 1 ? parts.getFirst()
                : "torch.cat([" + String.join(", ", parts) + "], " + (isConvolution() ? 1 : -1) + ")";
        body.add("return "
                + (isConvolution()
                        ? "torch.reshape(" + all + ", [torch.size(x, 0), " + outputChannels()
                                + ", torch.size(x, 2), torch.size(x, 3)])"
                        : all));
        NDArray bias = layer.bias();
        return bias == null
                ? runScript("output", new String[] {"x", "w", "m"}, body, x, layer.weight(), kernelTransform())
                : runScript("output", new String[] {"x", "w", "m", "h"}, body, x, layer.weight(), kernelTransform(),
                        bias);
    }

    private String addBias(String product, String bias) {
        return layer.bias() == null ? product : "torch.add(" + product + ", " + bias + ")";
    }

    @Override
    public Gradients backward(NDArray x, NDArray gradient, boolean needsInputGradient) {
        List<String> body = new ArrayList<>();
        body.add("p = torch.reshape(x, " + (isConvolution() ? "[torch.size(x, 0), " + inputChannels() + ", -1]"
                : "[-1, " + inputChannels() + "]") + ")");
        body.add("f = torch.reshape(y, " + (isConvolution() ? "[torch.size(x, 0), " + outputChannels() + ", -1]"
                : "[-1, " + outputChannels() + "]") + ")");
        for (long from = 0; from < outputChannels(); from += chunkChannels()) {
            body.addAll(chunkStatements(from));
            body.add("g = torch.slice(f, 1, " + from + ", " + chunkEnd(from) + ", 1)");
            if (needsInputGradient && isConvolution())
                body.add(from == 0 ? "z = torch.matmul(torch.t(e), g)"
                        : "z = torch.add_(z, torch.matmul(torch.t(e), g))");
            if (needsInputGradient && !isConvolution())
                body.add(from == 0 ? "z = torch.mm(g, e)" : "z = torch.addmm_(z, g, e)");
            body.add("d = " + (isConvolution() ? "torch.sum(torch.bmm(g, torch.transpose(p, 1, 2)), [0], False)"
                    : "torch.mm(torch.t(g), p)"));
            body.add("s = torch.addmm_(s, u, torch.t(" + unfold("torch.reshape(d, " + blockShape(from) + ")") + "))");
        }
        body.add(needsInputGradient ? "return torch.reshape(z, torch.size(x))" : "return s");
        NDArray sum = kernels.constant(Tensor.zeros(DjlShapes.shape(kernelTransform())));
        NDArray result = runScript(needsInputGradient ? "gradients" : "transform gradient",
                new String[] {"y", "x", "w", "m", "s"}, body, gradient, x, layer.weight(), kernelTransform(), sum);
        return gradients(needsInputGradient ? result : null, () -> sum);
    }

    /// u, the blocks of a chunk as columns (as rows it would be several times slower), and e, the chunk's effective
    /// weight.
    private List<String> chunkStatements(long from) {
        return List.of(
                "c = torch.reshape(torch.slice(w, 0, " + from + ", " + chunkEnd(from) + ", 1), " + blockShape(from)
                        + ")",
                "u = " + unfold("c"),
                "e = torch.reshape(torch.add(c, torch.permute(torch.reshape(torch.mm(torch.t(m), u), "
                        + List.of(blockSide(), blockSide(), (chunkEnd(from) - from) / blockSide(),
                                inputChannels() / blockSide())
                        + "), [2, 0, 3, 1])), "
                        + List.of(chunkEnd(from) - from, inputChannels()) + ")");
    }

    private String unfold(String blocks) {
        return "torch.reshape(torch.permute(" + blocks + ", [1, 3, 0, 2]), [" + blockSide() * blockSide() + ", -1])";
    }

    private String blockShape(long from) {
        return List.of((chunkEnd(from) - from) / blockSide(), blockSide(), inputChannels() / blockSide(), blockSide())
                .toString();
    }

    private NDArray runScript(String operation, String[] arguments, List<String> body, NDArray... inputs) {
        return kernels.script("channel atoms " + operation + " " + DjlShapes.shape(layer.weight()) + blockSide()
                + (layer.bias() == null), arguments, body.toArray(String[]::new), inputs);
    }

    private boolean isConvolution() { return layer.weight().getShape().dimension() == 4; }

    private long outputChannels() {
        return layer.weight().getShape().get(0);
    }

    private long inputChannels() {
        return layer.weight().getShape().get(1);
    }

    private long blockSide() {
        return LayerWeights.blockSide(DjlShapes.shape(kernelTransform()));
    }

    private long chunkChannels() {
        return Math.max(1, MAX_CHUNK_ELEMENTS / inputChannels() / blockSide()) * blockSide();
    }

    private long chunkEnd(long from) {
        return Math.min(outputChannels(), from + chunkChannels());
    }
}

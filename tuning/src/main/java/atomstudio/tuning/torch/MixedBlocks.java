package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// A linear layer or 1×1 convolution whose channel blocks are mixed. Its weight is made, used and dropped by some output channels at a time, in
/// the forward pass and again for the gradients: neither the weight nor its gradient is ever there as a whole, and what is there at a time stays
/// in the processor's cache. PyTorch's recording would keep the weight twice.
/// @param layer weight (Co,Ci) or (Co,Ci,1,1), and a mixing (b²,b²); its bias is frozen
record MixedBlocks(Kernels kernels, LayerWeights<NDArray> layer) implements Tape.Own {
    /// Numbers of the weight that are made at a time, found by measurement (docs/performance.md).
    private static final long HELD = 1L << 21;

    @Override public List<NDArray> kept() {
        return kernels.recorded(mixing()) ? List.of(mixing()) : List.of();
    }

    @Override public NDArray output(NDArray x) {
        List<String> body = new ArrayList<>();
        List<String> parts = new ArrayList<>();
        if (picture()) body.add("p = torch.reshape(x, [torch.size(x, 0), " + in() + ", -1])");
        for (long from = 0; from < out(); from += step()) {
            body.addAll(made(from));
            String bias = "torch.slice(h, 0, " + from + ", " + to(from) + ", 1)", part = "y" + from;
            body.add(part + " = " + (picture() ? plus("torch.matmul(e, p)", "torch.reshape(" + bias + ", [-1, 1])") : "torch.linear(x, e, " + (layer.bias() == null ? "None" : bias) + ")"));
            parts.add(part);
        }
        String all = parts.size() == 1 ? parts.getFirst() : "torch.cat([" + String.join(", ", parts) + "], " + (picture() ? 1 : -1) + ")";
        body.add("return " + (picture() ? "torch.reshape(" + all + ", [torch.size(x, 0), " + out() + ", torch.size(x, 2), torch.size(x, 3)])" : all));
        NDArray bias = layer.bias();
        return bias == null ? run("output", new String[] {"x", "w", "m"}, body, x, layer.weight(), mixing())
                : run("output", new String[] {"x", "w", "m", "h"}, body, x, layer.weight(), mixing(), bias);
    }

    private String plus(String product, String bias) {
        return layer.bias() == null ? product : "torch.add(" + product + ", " + bias + ")";
    }

    @Override public Tape.Gradients gradients(NDArray x, NDArray gradient, boolean byInput) {
        List<String> body = new ArrayList<>();
        body.add("p = torch.reshape(x, " + (picture() ? "[torch.size(x, 0), " + in() + ", -1]" : "[-1, " + in() + "]") + ")");
        body.add("f = torch.reshape(y, " + (picture() ? "[torch.size(x, 0), " + out() + ", -1]" : "[-1, " + out() + "]") + ")");
        for (long from = 0; from < out(); from += step()) {
            body.addAll(made(from));
            body.add("g = torch.slice(f, 1, " + from + ", " + to(from) + ", 1)");
            if (byInput && picture()) body.add(from == 0 ? "z = torch.matmul(torch.t(e), g)" : "z = torch.add_(z, torch.matmul(torch.t(e), g))");
            if (byInput && !picture()) body.add(from == 0 ? "z = torch.mm(g, e)" : "z = torch.addmm_(z, g, e)");
            body.add("d = " + (picture() ? "torch.sum(torch.bmm(g, torch.transpose(p, 1, 2)), [0], False)" : "torch.mm(torch.t(g), p)"));
            body.add("s = torch.addmm_(s, u, torch.t(" + unfolded("torch.reshape(d, " + blocks(from) + ")") + "))");
        }
        body.add(byInput ? "return torch.reshape(z, torch.size(x))" : "return s");
        NDArray sum = kernels.constant(Tensor.zeros(Arrays.shape(mixing())));
        NDArray found = run(byInput ? "gradients" : "gradient by mixing", new String[] {"y", "x", "w", "m", "s"}, body, gradient, x, layer.weight(), mixing(), sum);
        return new Tape.Gradients(byInput ? found : null, kept().stream().map(mixing -> new Tape.Part(mixing, sum)).toList());
    }

    /// u, the blocks of some output channels, one a column (a row each would take several times as long to gather); and e, the weight of these channels.
    private List<String> made(long from) {
        return List.of("c = torch.reshape(torch.slice(w, 0, " + from + ", " + to(from) + ", 1), " + blocks(from) + ")",
                "u = " + unfolded("c"),
                "e = torch.reshape(torch.add(c, torch.permute(torch.reshape(torch.mm(torch.t(m), u), " + List.of(side(), side(), (to(from) - from) / side(), in() / side()) + "), [2, 0, 3, 1])), "
                        + List.of(to(from) - from, in()) + ")");
    }

    private String unfolded(String blocks) {
        return "torch.reshape(torch.permute(" + blocks + ", [1, 3, 0, 2]), [" + side() * side() + ", -1])";
    }

    private String blocks(long from) {
        return List.of((to(from) - from) / side(), side(), in() / side(), side()).toString();
    }

    private NDArray run(String what, String[] arguments, List<String> body, NDArray... inputs) {
        return kernels.script("mixed blocks " + what + " " + Arrays.shape(layer.weight()) + side() + (layer.bias() == null), arguments, body.toArray(String[]::new), inputs);
    }

    private NDArray mixing() {
        return Objects.requireNonNull(layer.kernelTransform());
    }

    private boolean picture() {
        return layer.weight().getShape().dimension() == 4;
    }

    private long out() {
        return layer.weight().getShape().get(0);
    }

    private long in() {
        return layer.weight().getShape().get(1);
    }

    /// Of a block.
    private long side() {
        return LayerWeights.blockSide(Arrays.shape(mixing()));
    }

    private long step() {
        return Math.max(1, HELD / in() / side()) * side();
    }

    private long to(long from) {
        return Math.min(out(), from + step());
    }
}

package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.optimize.Muon;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// PyTorch functions that are called through TorchScript, each compiled on first use. Arguments that are not tensors
/// (groups, heads, epsilon) are literals of the source, so other values are another function.
final class TorchKernels {
    private record KernelKey(String name, double a, double b) {}

    private final PtNDManager manager;
    private final Function<Tensor, NDArray> arrayFactory;
    private final Map<KernelKey, PtSymbolBlock> compiled = new HashMap<>();

    /// @param arrayFactory creates an array in the current scope
    TorchKernels(PtNDManager manager, Function<Tensor, NDArray> arrayFactory) {
        this.manager = manager;
        this.arrayFactory = arrayFactory;
    }

    NDArray silu(NDArray x) {
        return run(new KernelKey("silu", 0, 0), new String[] {"x"}, "return torch.silu(x)", x);
    }

    NDArray quickGelu(NDArray x) {
        return run(new KernelKey("quickGelu", 0, 0), new String[] {"x"},
                "return torch.mul(x, torch.sigmoid(torch.mul(x, 1.702)))", x);
    }

    NDArray constant(Tensor tensor) {
        return arrayFactory.apply(tensor);
    }

    NDArray skew(NDArray upperTriangle, int side) {
        String[] body = {
                "m = torch.gt(torch.triu(torch.new_ones(x, [" + side + ", " + side + "]), 1), 0)",
                "u = torch.masked_scatter(torch.new_zeros(x, [torch.size(x, 0), " + side + ", " + side + "]), m, x)",
                "return torch.sub(u, torch.transpose(u, 1, 2))"};
        return run(new KernelKey("skew", side, 0), new String[] {"x"}, body, upperTriangle);
    }

    NDArray inverse(NDArray x) {
        return run(new KernelKey("inverse", 0, 0), new String[] {"x"}, "return torch.inverse(x)", x);
    }

    /// Norms are clamped from below, so that zero over zero is zero.
    NDArray inverseRowNorms(NDArray x) {
        return run(new KernelKey("inverseRowNorms", 0, 0), new String[] {"x"},
                "return torch.reciprocal(torch.clamp_min("
                        + "torch.sqrt(torch.sum(torch.pow(torch.detach(x), 2), [1], True)), 1e-12))",
                x);
    }

    NDArray scale(NDArray x, double factor) {
        KernelKey key = new KernelKey("scale", factor, 0);
        return run(key, new String[] {"x"}, "return torch.mul(x, " + literal(factor) + ")", x);
    }

    NDArray groupNorm(NDArray x, NDArray weight, NDArray bias, GroupNormArguments group) {
        KernelKey key = new KernelKey("groupNorm", group.groups, group.epsilon);
        return run(key, new String[] {"x", "w", "b"},
                "return torch.group_norm(x, " + group.groups + ", w, b, " + literal(group.epsilon) + ", True)", x,
                weight, bias);
    }

    record GroupNormArguments(int groups, double epsilon) {}

    /// Fused attention of heads of `width` channels, split from (B, S, C).
    NDArray attention(NDArray[] qkv, int heads, long width, String causal) {
        KernelKey key = new KernelKey("attention" + causal, heads, width);
        String splitHeads = ", [torch.size(q, 0), -1, " + heads + ", " + width + "]), 1, 2)";
        String call = "torch.scaled_dot_product_attention(torch.transpose(torch.reshape(q" + splitHeads
                + ", torch.transpose(torch.reshape(k" + splitHeads
                + ", torch.transpose(torch.reshape(v" + splitHeads + ", None, 0., " + causal + ")";
        return run(key, new String[] {"q", "k", "v"}, "return torch.reshape(torch.transpose(" + call
                + ", 1, 2), [torch.size(q, 0), -1, " + heads * width + "])", qkv);
    }

    /// Whether autograd records this array.
    boolean requiresGrad(NDArray x) {
        return run(new KernelKey("recorded", 0, 0), new String[] {"x"}, "return torch.zeros([int(x.requires_grad)])", x)
                .size() == 1;
    }

    /// Zeros of x's shape, expanded from one element.
    NDArray expandedZero(NDArray x) {
        return run(new KernelKey("zero", 0, 0), new String[] {"x"},
                "return torch.expand(torch.new_zeros(x, [1]), torch.size(x))", x);
    }

    /// x + y, in place of x.
    NDArray addInPlace(NDArray x, NDArray y) {
        return run(new KernelKey("plus", 0, 0), new String[] {"x", "y"}, "return torch.add_(torch.detach(x), y)", x, y);
    }

    /// y (B, C, H, W) plus the layer's bias, if any.
    static NDArray addBias(NDArray y, LayerWeights<NDArray> layer) {
        NDArray bias = layer.bias();
        return bias == null ? y
                : JniUtils.add((PtNDArray) y, JniUtils.reshape((PtNDArray) bias, new long[] {1, bias.size(), 1, 1}));
    }

    /// To bfloat16, a dtype that DJL does not have.
    NDArray toBf16(NDArray x) {
        return run(new KernelKey("half", 0, 0), new String[] {"x"}, "return torch.to(x, 15)", x);
    }

    /// To float32.
    NDArray toFloat32(NDArray x) {
        return run(new KernelKey("full", 0, 0), new String[] {"x"}, "return torch.to(x, 6)", x);
    }

    /// Attention as two matrix products and a softmax, with the S x S' matrix in memory.
    NDArray unfusedAttention(NDArray[] qkv, int heads, long width) {
        KernelKey key = new KernelKey("plainAttention", heads, width);
        String splitHeads = ", [torch.size(q, 0), -1, " + heads + ", " + width + "]), 1, 2)";
        String[] body = {
                "a = torch.mul(torch.transpose(torch.reshape(q" + splitHeads + ", " + literal(1 / Math.sqrt(width))
                        + ")",
                "s = torch.softmax(torch.matmul(a, torch.transpose(torch.transpose(torch.reshape(k" + splitHeads
                        + ", -2, -1)), -1)",
                "y = torch.matmul(s, torch.transpose(torch.reshape(v" + splitHeads + ")",
                "return torch.reshape(torch.transpose(y, 1, 2), [torch.size(q, 0), -1, " + heads * width + "])"};
        return run(key, new String[] {"q", "k", "v"}, body, qkv);
    }

    /// Newton-Schulz iteration, as in `Orthogonalization`; a tall matrix is transposed.
    NDArray orthogonalize(NDArray matrix, MatrixOrder order) {
        List<String> body = new ArrayList<>();
        body.add(order == MatrixOrder.TRANSPOSED ? "y = torch.transpose(x, 0, 1)" : "y = x");
        body.add("y0 = torch.div(y, torch.add(torch.norm(y), " + literal(Muon.Orthogonalization.EPSILON) + "))");
        for (int k = 0; k < Muon.Orthogonalization.ITERATIONS; k++) {
            String y = "y" + k, a = "a" + k;
            body.add(a + " = torch.matmul(" + y + ", torch.transpose(" + y + ", 0, 1))");
            body.add("b" + k + " = torch.add(torch.mul(" + a + ", " + literal(Muon.Orthogonalization.B)
                    + "), torch.mul(torch.matmul(" + a + ", " + a + "), " + literal(Muon.Orthogonalization.C) + "))");
            body.add("y" + (k + 1) + " = torch.add(torch.mul(" + y + ", " + literal(Muon.Orthogonalization.A)
                    + "), torch.matmul(b" + k + ", " + y + "))");
        }
        String last = "y" + Muon.Orthogonalization.ITERATIONS;
        body.add("return "
                + (order == MatrixOrder.TRANSPOSED ? "torch.contiguous(torch.transpose(" + last + ", 0, 1))" : last));
        return run(new KernelKey("orthogonal" + order, 0, 0), new String[] {"x"}, body.toArray(String[]::new), matrix);
    }

    enum MatrixOrder { PLAIN, TRANSPOSED }

    /// Mean of weight · squared difference, a scalar; weights are broadcast.
    NDArray loss(NDArray predicted, NDArray target, NDArray weights) {
        return run(new KernelKey("loss", 0, 0), new String[] {"x", "y", "w"},
                "return torch.mean(torch.mul(torch.pow(torch.sub(x, y), 2), w))", predicted, target, weights);
    }

    /// A function in TorchScript.
    /// @param name unique
    NDArray script(String name, String[] arguments, String[] body, NDArray... inputs) {
        return run(new KernelKey(name, 0, 0), arguments, body, inputs);
    }

    private NDArray run(KernelKey key, String[] arguments, String body, NDArray... inputs) {
        return run(key, arguments, new String[] {body}, inputs);
    }

    private NDArray run(KernelKey key, String[] arguments, String[] body, NDArray... inputs) {
        PtSymbolBlock block = compiled.get(key);
        if (block == null) compiled.put(key, block = compile(arguments, body));
        return IValueUtils.forward(block, new NDList(inputs), true).singletonOrThrow();
    }

    private PtSymbolBlock compile(String[] arguments, String[] body) {
        try {
            return JniUtils.loadModule(manager, new ByteArrayInputStream(TorchScript.archive(arguments, body)), true,
                    false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// TorchScript's floating point literal has a lower-case e.
    private static String literal(double number) {
        return Double.toString(number).toLowerCase(Locale.ROOT);
    }

    /// A TorchScript archive of one function, for operations that DJL does not wrap: a zip of a format version, two
    /// pickles (no constants; a module with the attribute `training`) and the source.
    static final class TorchScript {
        private static final byte[] CONSTANTS = {(byte) 0x80, 2, ')', '.'};

        private TorchScript() {}

        /// @param arguments names of the tensor arguments
        /// @param body      statements, the last one returns a tensor
        static byte[] archive(String[] arguments, String... body) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
                entry(zip, "ops/version", "3\n".getBytes(StandardCharsets.US_ASCII));
                entry(zip, "ops/constants.pkl", CONSTANTS);
                entry(zip, "ops/data.pkl", module());
                entry(zip, "ops/code/__torch__.py", code(arguments, body).getBytes(StandardCharsets.US_ASCII));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return bytes.toByteArray();
        }

        private static String code(String[] arguments, String[] body) {
            StringBuilder code = new StringBuilder(
                    "class Ops(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
                            + "  def forward(self: __torch__.Ops");
            for (String argument : arguments) code.append(", ").append(argument).append(": Tensor");
            code.append(") -> Tensor:\n");
            for (String line : body) code.append("    ").append(line).append('\n');
            return code.toString();
        }

        /// Pickle protocol 2: an instance of `__torch__.Ops` whose state is {"training": True}.
        private static byte[] module() {
            byte[] name = "training".getBytes(StandardCharsets.US_ASCII);
            ByteBuffer pickle = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
            pickle.put(new byte[] {(byte) 0x80, 2})
                    .put("c__torch__\nOps\n)".getBytes(StandardCharsets.US_ASCII))
                    .put((byte) 0x81);
            pickle.put("}(X".getBytes(StandardCharsets.US_ASCII)).putInt(name.length).put(name);
            pickle.put(new byte[] {(byte) 0x88, 'u', 'b', '.'});
            return Arrays.copyOf(pickle.array(), pickle.position());
        }

        private static void entry(ZipOutputStream zip, String name, byte[] content) throws IOException {
            zip.putNextEntry(new ZipEntry(name));
            zip.write(content);
            zip.closeEntry();
        }
    }
}

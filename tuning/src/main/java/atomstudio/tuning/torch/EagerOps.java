package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import atomstudio.diffusion.ops.AttentionConfig;
import atomstudio.diffusion.ops.ConvGeometry;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The carrier that computes at once, and records for differentiation where its scope says so. In float32, or, given float32 weights and
/// bfloat16 activations, in bfloat16.
/// Natively wrapped operations of DJL where they exist, TorchScript for the others. Never an operation with a Java number:
/// DJL makes an array over a Java buffer of it, which recording would keep after the buffer is gone.
public final class EagerOps implements Ops<NDArray> {
    private static final ai.djl.ndarray.types.Shape ONE = new ai.djl.ndarray.types.Shape(1, 1);

    /// Elements of the S x S' matrices up to which bfloat16 attention is written out: its fused form is slow in the backward pass.
    private static final long WRITTEN_OUT = 1L << 25;

    private final Kernels kernels;
    private final @Nullable Halves halves;
    private final @Nullable Tape tape;

    EagerOps(Kernels kernels) {
        this(kernels, null, null);
    }

    private EagerOps(Kernels kernels, @Nullable Halves halves, @Nullable Tape tape) {
        this.kernels = kernels;
        this.halves = halves;
        this.tape = tape;
    }

    /// The same, with segments on a tape.
    EagerOps on(Tape tape) {
        return new EagerOps(kernels, halves, tape);
    }

    /// The same, in bfloat16.
    EagerOps in(Halves halves) {
        return new EagerOps(kernels, halves, tape);
    }

    /// An array in the type that activations have.
    NDArray enter(NDArray x) {
        return halves == null ? x : kernels.half(x);
    }

    /// An activation in float32.
    NDArray leave(NDArray x) {
        return halves == null ? x : kernels.full(x);
    }

    private PtNDArray weight(NDArray array) {
        return pt(halves == null ? array : halves.of(array));
    }

    private @Nullable PtNDArray optional(@Nullable NDArray array) {
        return array == null ? null : weight(array);
    }

    private PtNDArray bias(LayerWeights<NDArray> layer) {
        NDArray bias = layer.bias();
        if (bias == null) throw new IllegalArgumentException("norm of " + layer.weight().getShape() + " channels: expected a bias, found none");
        return weight(bias);
    }

    @Override public Shape shape(NDArray x) {
        return Arrays.shape(x);
    }

    @Override public NDArray add(NDArray a, NDArray b) {
        return JniUtils.add(pt(a), pt(b));
    }

    @Override public NDArray multiply(NDArray a, NDArray b) {
        return JniUtils.mul(pt(a), pt(b));
    }

    @Override public NDArray scale(NDArray x, double by) {
        return kernels.scale(x, by);
    }

    @Override public NDArray matmul(NDArray a, NDArray b) {
        return JniUtils.matmul(pt(a), pt(b));
    }

    /// A layer with its change computed, in the type that activations have.
    LayerWeights<NDArray> entered(LayerWeights<NDArray> settled) {
        return new LayerWeights<>(weight(settled.weight()), optional(settled.bias()));
    }

    @Override public NDArray conv2d(NDArray x, LayerWeights<NDArray> layer, ConvGeometry geometry) {
        if (tape != null && layer.needsMaterializing(this) && even(geometry)) return tape.run(x, madeAgain(layer, geometry));
        return convolution(x, layer.needsMaterializing(this) ? layer.materialized(this) : layer, geometry);
    }

    private static boolean even(ConvGeometry geometry) {
        return geometry.padTop() == geometry.padBottom() && geometry.padLeft() == geometry.padRight();
    }

    private Tape.Own madeAgain(LayerWeights<NDArray> layer, @Nullable ConvGeometry geometry) {
        boolean plain = geometry == null || geometry.equals(ConvGeometry.same(1));
        return plain && layer.hasBlockTransform(this) && halves == null ? new MixedBlocks(kernels, layer) : new TunedLayer(new EagerOps(kernels, halves, null), kernels, layer, geometry);
    }

    Precision precision() {
        return halves == null ? Precision.FP32 : Precision.BF16;
    }

    private NDArray convolution(NDArray x, LayerWeights<NDArray> unsettled, ConvGeometry geometry) {
        if (halves == null && WinogradConvolution.pays(x, unsettled, geometry) && !kernels.recorded(unsettled.weight())) {
            WinogradConvolution fast = new WinogradConvolution(kernels, unsettled);
            if (tape != null) return Kernels.biased(tape.run(x, fast), unsettled);
            if (!fast.trains() && !kernels.recorded(x)) return Kernels.biased(fast.output(x), unsettled);
        }
        if (MixedConvolution.pays(x, unsettled, geometry)) {
            MixedConvolution mixed = new MixedConvolution(kernels, new LayerWeights<>(weight(unsettled.weight()), null, optional(unsettled.kernelTransform())), geometry);
            boolean own = tape != null && !kernels.recorded(unsettled.weight());
            return Kernels.biased(own ? tape.run(x, mixed) : mixed.output(x), new LayerWeights<>(unsettled.weight(), optional(unsettled.bias())));
        }
        LayerWeights<NDArray> layer = unsettled.materialized(this);
        boolean even = even(geometry);
        long[] sides = {geometry.padLeft(), geometry.padRight(), geometry.padTop(), geometry.padBottom()};
        PtNDArray input = even ? pt(x) : JniUtils.pad(pt(x), sides, 0);
        var stride = new ai.djl.ndarray.types.Shape(geometry.stride(), geometry.stride());
        var padding = even ? new ai.djl.ndarray.types.Shape(geometry.padTop(), geometry.padLeft()) : new ai.djl.ndarray.types.Shape(0, 0);
        return JniUtils.convolution(input, weight(layer.weight()), optional(layer.bias()), stride, padding, ONE, 1);
    }

    @Override public NDArray linear(NDArray x, LayerWeights<NDArray> unsettled) {
        if (tape != null && unsettled.needsMaterializing(this)) return tape.run(x, madeAgain(unsettled, null));
        LayerWeights<NDArray> layer = unsettled.materialized(this);
        return JniUtils.linear(pt(x), weight(layer.weight()), optional(layer.bias()));
    }

    @Override public NDArray groupNorm(NDArray x, LayerWeights<NDArray> layer, int groups, double epsilon) {
        return kernels.groupNorm(x, weight(layer.weight()), bias(layer), new Kernels.Group(groups, epsilon));
    }

    @Override public NDArray layerNorm(NDArray x, LayerWeights<NDArray> layer, double epsilon) {
        return JniUtils.layerNorm(pt(x), layer.weight().getShape(), weight(layer.weight()), bias(layer), epsilon);
    }

    @Override public NDArray silu(NDArray x) {
        return kernels.silu(x);
    }

    @Override public NDArray gelu(NDArray x) {
        return JniUtils.gelu(pt(x));
    }

    @Override public NDArray quickGelu(NDArray x) {
        return kernels.quickGelu(x);
    }

    @Override public NDArray relu(NDArray x) {
        return JniUtils.relu(pt(x));
    }

    @Override public NDArray tanh(NDArray x) {
        return x.tanh();
    }

    @Override public NDArray attention(NDArray q, NDArray k, NDArray v, AttentionConfig heads) {
        if (halves != null && heads.mask() == AttentionConfig.Mask.NONE && q.getShape().get(0) * heads.heads() * q.getShape().get(1) * k.getShape().get(1) <= WRITTEN_OUT) {
            return kernels.plainAttention(new NDArray[] {q, k, v}, heads.heads(), q.getShape().get(2) / heads.heads());
        }
        String causal = switch (heads.mask()) {
            case CAUSAL -> "True";
            case NONE -> "False";
        };
        return kernels.attention(new NDArray[] {q, k, v}, heads.heads(), q.getShape().get(2) / heads.heads(), causal);
    }

    @Override public NDArray embedding(NDArray table, NDArray ids) {
        return JniUtils.embedding(pt(ids), pt(table), false);
    }

    @Override public NDArray upsampleNearest(NDArray x, long height, long width) {
        return JniUtils.interpolate(pt(x), new long[] {height, width}, 0, false);
    }

    @Override public NDArray concat(NDArray a, NDArray b, int axis) {
        return JniUtils.cat(new PtNDArray[] {pt(a), pt(b)}, axis);
    }

    @Override public List<NDArray> split(NDArray x, int parts, int axis) {
        int along = axis < 0 ? axis + x.getShape().dimension() : axis;
        NDList split = JniUtils.split(pt(x), x.getShape().get(along) / parts, along);
        return List.copyOf(split);
    }

    @Override public NDArray reshape(NDArray x, Shape to) {
        return JniUtils.reshape(pt(x), to.sizes());
    }

    @Override public NDArray permute(NDArray x, int... axes) {
        long[] order = new long[axes.length];
        for (int i = 0; i < axes.length; i++) order[i] = axes[i];
        return JniUtils.permute(pt(x), order);
    }

    @Override public NDArray constant(Tensor numbers) {
        return kernels.constant(numbers);
    }

    @Override public NDArray skewSymmetric(NDArray above, int side) {
        return kernels.skew(above, side);
    }

    @Override public NDArray inverse(NDArray x) {
        return kernels.inverse(x);
    }

    @Override public NDArray reciprocalRowNorms(NDArray x) {
        return kernels.inverseRowNorms(x);
    }

    /// What is computed within a segment is freed with it, save what recording keeps; under checkpointing recording keeps the inputs alone.
    @Override public NDArray checkpointed(String name, List<NDArray> inputs, Function<List<NDArray>, NDArray> body) {
        return tape == null ? Tape.scoped(() -> body.apply(inputs)) : tape.run(name, inputs, body);
    }

    /// Mean of weight · squared difference: a scalar. Weights broadcast against the others.
    public NDArray loss(NDArray found, NDArray target, NDArray weights) {
        return kernels.loss(found, target, weights);
    }

    private static PtNDArray pt(NDArray array) {
        return (PtNDArray) array;
    }
}

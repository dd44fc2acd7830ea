package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The backend that computes eagerly with PyTorch, and records for autograd if its scope does. In float32, or in
/// bfloat16 from float32 weights and bfloat16 activations. Uses DJL's wrapped operations where they exist, TorchScript
/// otherwise. DJL's operations with a Java number are not used: they make an array over a Java buffer, which the
/// recorded graph would keep after the buffer is freed.
public final class EagerOps implements Ops<NDArray> {
    private static final ai.djl.ndarray.types.Shape ONE = new ai.djl.ndarray.types.Shape(1, 1);

    private final TorchKernels kernels;
    private final @Nullable Bf16Weights bf16Weights;
    private final @Nullable Tape tape;

    EagerOps(TorchKernels kernels) {
        this(kernels, null, null);
    }

    private EagerOps(TorchKernels kernels, @Nullable Bf16Weights bf16Weights, @Nullable Tape tape) {
        this.kernels = kernels;
        this.bf16Weights = bf16Weights;
        this.tape = tape;
    }

    /// With checkpointed segments on a tape.
    EagerOps withTape(Tape tape) {
        return new EagerOps(kernels, bf16Weights, tape);
    }

    /// In bfloat16.
    EagerOps withBf16(Bf16Weights bf16Weights) {
        return new EagerOps(kernels, bf16Weights, tape);
    }

    /// An array in the dtype of activations.
    NDArray toActivationDtype(NDArray x) {
        return bf16Weights == null ? x : kernels.call("to_bf16", x);
    }

    /// An activation in float32.
    NDArray toFloat32(NDArray x) {
        return bf16Weights == null ? x : kernels.call("to_float32", x);
    }

    private PtNDArray weight(NDArray array) {
        return pt(bf16Weights == null ? array : bf16Weights.get(array));
    }

    private @Nullable PtNDArray weightOrNull(@Nullable NDArray array) {
        return array == null ? null : weight(array);
    }

    private PtNDArray bias(LayerWeights<NDArray> layer) {
        NDArray bias = layer.bias();
        if (bias == null)
            throw new IllegalArgumentException(
                    "norm of " + layer.weight().getShape() + " channels: expected a bias, found none");
        return weight(bias);
    }

    @Override
    public Shape shape(NDArray x) {
        return DjlShapes.shape(x);
    }

    @Override
    public NDArray add(NDArray a, NDArray b) {
        return JniUtils.add(pt(a), pt(b));
    }

    @Override
    public NDArray multiply(NDArray a, NDArray b) {
        return JniUtils.mul(pt(a), pt(b));
    }

    @Override
    public NDArray scale(NDArray x, double factor) {
        return kernels.call("scale", x, factor);
    }

    @Override
    public NDArray matmul(NDArray a, NDArray b) {
        return JniUtils.matmul(pt(a), pt(b));
    }

    /// A materialized layer in the dtype of activations.
    LayerWeights<NDArray> inActivationDtype(LayerWeights<NDArray> materialized) {
        return new LayerWeights<>(weight(materialized.weight()), weightOrNull(materialized.bias()));
    }

    @Override
    public NDArray conv2d(NDArray x, LayerWeights<NDArray> layer, ConvGeometry geometry) {
        if (tape != null && layer.needsMaterializing(this) && geometry.isSymmetric())
            return tape.run(x, recomputed(layer, geometry));
        return convolve(x, layer.needsMaterializing(this) ? layer.materialized(this) : layer, geometry);
    }

    private CustomFunction recomputed(LayerWeights<NDArray> layer, @Nullable ConvGeometry geometry) {
        boolean isPointwise = geometry == null || geometry.equals(ConvGeometry.same(1));
        return isPointwise && layer.hasBlockTransform(this) && bf16Weights == null
                ? new ChannelAtomLinear(kernels, layer)
                : new RecomputedLayer(new EagerOps(kernels, bf16Weights, null), kernels, layer, geometry);
    }

    ComputeDtype computeDtype() {
        return bf16Weights == null ? ComputeDtype.FP32 : ComputeDtype.BF16;
    }

    private NDArray convolve(NDArray x, LayerWeights<NDArray> lazyLayer, ConvGeometry geometry) {
        if (bf16Weights == null && WinogradConvolution.isFaster(x, lazyLayer, geometry)
                && !kernels.requiresGrad(lazyLayer.weight())) {
            WinogradConvolution winograd = new WinogradConvolution(kernels, lazyLayer);
            if (tape != null) return TorchKernels.addBias(tape.run(x, winograd), lazyLayer);
            if (!winograd.isTrainable() && !kernels.requiresGrad(x))
                return TorchKernels.addBias(winograd.forward(x), lazyLayer);
        }
        if (AtomConvolution.isFaster(x, lazyLayer, geometry)) {
            AtomConvolution atomConvolution = new AtomConvolution(kernels,
                    new LayerWeights<>(weight(lazyLayer.weight()), null, weightOrNull(lazyLayer.kernelTransform())),
                    geometry);
            boolean usesTape = tape != null && !kernels.requiresGrad(lazyLayer.weight());
            return TorchKernels.addBias(usesTape ? tape.run(x, atomConvolution) : atomConvolution.forward(x),
                    new LayerWeights<>(lazyLayer.weight(), weightOrNull(lazyLayer.bias())));
        }
        LayerWeights<NDArray> layer = lazyLayer.materialized(this);
        boolean symmetric = geometry.isSymmetric();
        long[] sides = {geometry.padLeft(), geometry.padRight(), geometry.padTop(), geometry.padBottom()};
        PtNDArray input = symmetric ? pt(x) : JniUtils.pad(pt(x), sides, 0);
        var stride = new ai.djl.ndarray.types.Shape(geometry.stride(), geometry.stride());
        var padding = symmetric ? new ai.djl.ndarray.types.Shape(geometry.padTop(), geometry.padLeft())
                : new ai.djl.ndarray.types.Shape(0, 0);
        return JniUtils.convolution(input, weight(layer.weight()), weightOrNull(layer.bias()), stride, padding, ONE, 1);
    }

    @Override
    public NDArray linear(NDArray x, LayerWeights<NDArray> lazyLayer) {
        if (tape != null && lazyLayer.needsMaterializing(this)) return tape.run(x, recomputed(lazyLayer, null));
        LayerWeights<NDArray> layer = lazyLayer.materialized(this);
        return JniUtils.linear(pt(x), weight(layer.weight()), weightOrNull(layer.bias()));
    }

    @Override
    public NDArray groupNorm(NDArray x, LayerWeights<NDArray> layer, int groups, double epsilon) {
        return kernels.call("group_norm", x, weight(layer.weight()), bias(layer), groups, epsilon);
    }

    @Override
    public NDArray layerNorm(NDArray x, LayerWeights<NDArray> layer, double epsilon) {
        return JniUtils.layerNorm(pt(x), layer.weight().getShape(), weight(layer.weight()), bias(layer), epsilon);
    }

    @Override
    public NDArray silu(NDArray x) {
        return kernels.call("silu", x);
    }

    @Override
    public NDArray gelu(NDArray x) {
        return JniUtils.gelu(pt(x));
    }

    @Override
    public NDArray quickGelu(NDArray x) {
        return kernels.call("quick_gelu", x);
    }

    @Override
    public NDArray relu(NDArray x) {
        return JniUtils.relu(pt(x));
    }

    @Override
    public NDArray tanh(NDArray x) {
        return x.tanh();
    }

    @Override
    public NDArray attention(NDArray q, NDArray k, NDArray v, AttentionConfig config) {
        if (bf16Weights != null && config.mask() == AttentionConfig.Mask.NONE
                && KernelThresholds.prefersUnfusedAttention(shape(q), shape(k), config.heads()))
            return kernels.call("unfused_attention", q, k, v, config.heads());
        int causal = switch (config.mask()) {
            case CAUSAL -> 1;
            case NONE -> 0;
        };
        return kernels.call("attention", q, k, v, config.heads(), causal);
    }

    @Override
    public NDArray embedding(NDArray table, NDArray ids) {
        return JniUtils.embedding(pt(ids), pt(table), false);
    }

    @Override
    public NDArray upsampleNearest(NDArray x, long height, long width) {
        return JniUtils.interpolate(pt(x), new long[] {height, width}, 0, false);
    }

    @Override
    public NDArray concat(NDArray a, NDArray b, int axis) {
        return JniUtils.cat(new PtNDArray[] {pt(a), pt(b)}, axis);
    }

    @Override
    public List<NDArray> split(NDArray x, int parts, int axis) {
        int positiveAxis = axis < 0 ? axis + x.getShape().dimension() : axis;
        NDList split = JniUtils.split(pt(x), x.getShape().get(positiveAxis) / parts, positiveAxis);
        return List.copyOf(split);
    }

    @Override
    public NDArray reshape(NDArray x, Shape to) {
        return JniUtils.reshape(pt(x), to.sizes());
    }

    @Override
    public NDArray permute(NDArray x, int... axes) {
        long[] order = new long[axes.length];
        for (int i = 0; i < axes.length; i++) order[i] = axes[i];
        return JniUtils.permute(pt(x), order);
    }

    @Override
    public NDArray constant(Tensor tensor) {
        return kernels.constant(tensor);
    }

    @Override
    public NDArray skewSymmetric(NDArray above, int side) {
        return kernels.call("skew", above, side);
    }

    @Override
    public NDArray inverse(NDArray x) {
        return kernels.call("inverse", x);
    }

    @Override
    public NDArray reciprocalRowNorms(NDArray x) {
        return kernels.call("reciprocal_row_norms", x);
    }

    /// Arrays made within a segment are freed at its end, except those that autograd saves; with checkpointing it
    /// saves only the inputs.
    @Override
    public NDArray checkpointed(String name, List<NDArray> inputs, Function<List<NDArray>, NDArray> body) {
        return tape == null ? Tape.scoped(() -> body.apply(inputs)) : tape.run(name, inputs, body);
    }

    /// Mean of weight · squared difference, a scalar; weights are broadcast.
    public NDArray loss(NDArray predicted, NDArray target, NDArray lossWeights) {
        return kernels.call("loss", predicted, target, lossWeights);
    }

    private static PtNDArray pt(NDArray array) {
        return (PtNDArray) array;
    }
}

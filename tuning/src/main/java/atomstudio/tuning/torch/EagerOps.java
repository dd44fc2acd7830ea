package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The backend that computes eagerly with PyTorch. In float32, or in
/// bfloat16 from float32 weights and bfloat16 activations. Uses DJL's wrapped operations where they exist, TorchScript
/// otherwise. DJL's operations with a Java number are not used: they make an array over a Java buffer, which the
/// tape could keep after the buffer is freed.
public class EagerOps implements Ops<NDArray> {
    private static final ai.djl.ndarray.types.Shape ONE = new ai.djl.ndarray.types.Shape(1, 1);

    final TorchKernels kernels;
    private final @Nullable Bf16Weights bf16Weights;

    /// @param bf16Weights for bfloat16, else null
    EagerOps(TorchKernels kernels, @Nullable Bf16Weights bf16Weights) {
        this.kernels = kernels;
        this.bf16Weights = bf16Weights;
    }

    boolean isBf16() { return bf16Weights != null; }

    /// An array in the dtype of activations.
    public NDArray toActivationDtype(NDArray x) {
        return bf16Weights == null ? x : kernels.call("to_bf16", x);
    }

    /// An activation in float32.
    public NDArray toFloat32(NDArray x) {
        return bf16Weights == null ? x : kernels.call("to_float32", x);
    }

    PtNDArray weight(NDArray array) {
        return pt(bf16Weights == null ? array : bf16Weights.get(array));
    }

    private @Nullable PtNDArray weightOrNull(@Nullable NDArray array) {
        return array == null ? null : weight(array);
    }

    PtNDArray bias(LayerWeights<NDArray> layer) {
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

    /// The layer computed without its effective weight, or without a convolution, where that is faster.
    /// @param geometry null for a linear layer
    Optional<TransformedLayer> transformed(Shape x, LayerWeights<NDArray> layer, @Nullable ConvGeometry geometry) {
        NDArray transform = layer.kernelTransform();
        if (transform != null && layer.hasBlockTransform(this)) {
            boolean isPointwise = geometry == null || geometry.equals(ConvGeometry.same(1));
            return isPointwise && !isBf16() ? Optional.of(new ChannelAtomLinear(kernels, layer)) : Optional.empty();
        }
        if (geometry == null) return Optional.empty();
        boolean isShared = transform == null || transform.getShape().dimension() == 2;
        Shape weight = shape(layer.weight());
        if (isShared && !isBf16() && !layer.weight().getDevice().isGpu()
                && KernelThresholds.prefersWinograd(x, weight, geometry))
            return Optional.of(new WinogradConvolution(kernels, layer));
        return transform == null || !KernelThresholds.prefersAtomsOnActivations(x, weight, geometry) ? Optional.empty()
                : Optional.of(new AtomConvolution(kernels, asMatrix(layer), geometry));
    }

    private LayerWeights<NDArray> asMatrix(LayerWeights<NDArray> layer) {
        NDArray kernel = layer.weight();
        return new LayerWeights<>(bf16Weights == null ? kernel : bf16Weights.matrix(kernel),
                weightOrNull(layer.bias()), weightOrNull(layer.kernelTransform()));
    }

    private LayerWeights<NDArray> inActivationDtype(LayerWeights<NDArray> layer) {
        return new LayerWeights<>(weight(layer.weight()), weightOrNull(layer.bias()),
                weightOrNull(layer.kernelTransform()));
    }

    @Override
    public NDArray conv2d(NDArray x, LayerWeights<NDArray> pending, ConvGeometry geometry) {
        if (bf16Weights != null && bf16Weights.isReordered(pending.weight())) {
            boolean isSymmetric = geometry.isSymmetric();
            return kernels.call("reordered_convolution", isSymmetric ? x : pad(x, geometry), pending.weight(),
                    bias(pending), geometry.stride(), isSymmetric ? geometry.padTop() : 0);
        }
        LayerWeights<NDArray> layer = pending.deferred() == null ? pending : pending.materialized(this);
        return transformed(shape(x), layer, geometry).map(faster -> faster.forward(x))
                .orElseGet(() -> convolve(x, inActivationDtype(layer.materialized(this)), geometry));
    }

    /// Directly, with an effective weight.
    static NDArray convolve(NDArray x, LayerWeights<NDArray> layer, ConvGeometry geometry) {
        boolean symmetric = geometry.isSymmetric();
        PtNDArray input = symmetric ? pt(x) : pad(x, geometry);
        var stride = new ai.djl.ndarray.types.Shape(geometry.stride(), geometry.stride());
        var padding = symmetric ? new ai.djl.ndarray.types.Shape(geometry.padTop(), geometry.padLeft())
                : new ai.djl.ndarray.types.Shape(0, 0);
        NDArray bias = layer.bias();
        return JniUtils.convolution(input, pt(layer.weight()), bias == null ? null : pt(bias), stride, padding, ONE,
                geometry.groups());
    }

    static PtNDArray pad(NDArray x, ConvGeometry geometry) {
        long[] sides = {geometry.padLeft(), geometry.padRight(), geometry.padTop(), geometry.padBottom()};
        return JniUtils.pad(pt(x), sides, 0);
    }

    @Override
    public NDArray linear(NDArray x, LayerWeights<NDArray> pending) {
        LayerWeights<NDArray> layer = pending.deferred() == null ? pending : pending.materialized(this);
        return transformed(shape(x), layer, null).map(faster -> faster.forward(x)).orElseGet(() -> {
            LayerWeights<NDArray> materialized = layer.materialized(this);
            return JniUtils.linear(pt(x), weight(materialized.weight()), weightOrNull(materialized.bias()));
        });
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
    public NDArray batchNorm(NDArray x, LayerWeights<NDArray> layer, BatchStatistics<NDArray> statistics,
            double epsilon) {
        return kernels.call("batch_norm", x, weight(layer.weight()), bias(layer), weight(statistics.mean()),
                weight(statistics.variance()), epsilon);
    }

    @Override
    public NDArray maxPool(NDArray x, PoolWindow window) {
        return kernels.call("max_pool", x, window.size(), window.stride(), window.padding());
    }

    @Override
    public NDArray globalAveragePool(NDArray x) {
        return kernels.call("mean_over_pixels", x);
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

    /// With AMX the fused forward pass is the fastest at every size; the backward pass is not.
    @Override
    public NDArray attention(NDArray q, NDArray k, NDArray v, AttentionConfig config) {
        return ComputeDtype.hasAmx() || isFused(q, k, config)
                ? kernels.call("attention", q, k, v, config.heads(), causal(config))
                : kernels.call("unfused_attention", q, k, v, config.heads());
    }

    /// Where gradients follow.
    boolean isFused(NDArray q, NDArray k, AttentionConfig config) {
        return !isBf16() || config.mask() == AttentionConfig.Mask.CAUSAL
                || !KernelThresholds.prefersUnfusedAttention(shape(q), shape(k), config.heads());
    }

    /// A truth value for TorchScript.
    static int causal(AttentionConfig config) {
        return switch (config.mask()) {
            case CAUSAL -> 1;
            case NONE -> 0;
        };
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

    /// Arrays made within a segment are freed at its end.
    @Override
    public NDArray checkpointed(String name, List<NDArray> inputs, Function<List<NDArray>, NDArray> body) {
        return freeingTemporaries(() -> body.apply(inputs));
    }

    @Override
    public NDArray freeingTemporaries(Supplier<NDArray> body) {
        NDArray result;
        try (NDScope scope = new NDScope()) {
            result = body.get();
            NDScope.unregister(result);
        }
        NDScope.register(result);
        return result;
    }

    /// Mean of weight · squared difference, a scalar; weights are broadcast.
    public NDArray loss(NDArray predicted, NDArray target, NDArray lossWeights) {
        return kernels.call("loss", predicted, target, lossWeights);
    }

    static PtNDArray pt(NDArray array) {
        return (PtNDArray) array;
    }
}

package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.jni.JniUtils;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// Derivatives by PyTorch's own kernels, the ones that its autograd calls.
/// Closing frees what a failed step has kept.
final class EagerGradientOps extends EagerOps implements GradientOps<NDArray>, AutoCloseable {
    private final NativeHeap heap;
    private final Set<NDArray> kept = Collections.newSetFromMap(new IdentityHashMap<>());

    EagerGradientOps(TorchKernels kernels, @Nullable Bf16Weights bf16Weights, NativeHeap heap) {
        super(kernels, bf16Weights);
        this.heap = heap;
    }

    @Override
    public boolean appliesTransform(NDArray x, LayerWeights<NDArray> layer, @Nullable ConvGeometry geometry) {
        return transformed(shape(x), layer, geometry).isPresent();
    }

    @Override
    public LayerGradients<NDArray> layerGradients(NDArray g, @Nullable NDArray x, Shape shape,
            LayerWeights<NDArray> layer, @Nullable ConvGeometry geometry, Wanted wanted) {
        NDArray bias = wanted.bias()
                ? toFloat32(kernels.call(geometry == null ? "linear_bias_gradient" : "convolution_bias_gradient", g))
                : null;
        LayerGradients<NDArray> gradients = transformed(shape, layer, geometry)
                .map(faster -> faster.gradients(g, x, shape,
                        new Wanted(wanted.input(), wanted.weight() && layer.kernelTransform() != null, false)))
                .orElse(new LayerGradients<>(null, null, null));
        NDArray weight = gradients.weight();
        if (wanted.weight() && weight == null || wanted.input() && gradients.input() == null) {
            Wanted missing = new Wanted(wanted.input() && gradients.input() == null, wanted.weight(), false);
            LayerGradients<NDArray> others = geometry == null ? linearGradients(g, x, layer.weight(), missing)
                    : convolutionGradients(g, x, shape, layer.weight(), geometry, missing);
            gradients = new LayerGradients<>(gradients.input() == null ? others.input() : gradients.input(),
                    others.weight(), null);
        }
        return new LayerGradients<>(gradients.input(),
                gradients.weight() == null ? null : toFloat32(gradients.weight()), bias);
    }

    private LayerGradients<NDArray> linearGradients(NDArray g, @Nullable NDArray x, NDArray w, Wanted wanted) {
        return new LayerGradients<>(wanted.input() ? JniUtils.matmul(pt(g), weight(w)) : null,
                wanted.weight() ? kernels.call("linear_weight_gradient", g, Objects.requireNonNull(x)) : null, null);
    }

    private LayerGradients<NDArray> convolutionGradients(NDArray g, @Nullable NDArray x, Shape shape, NDArray w,
            ConvGeometry geometry, Wanted wanted) {
        if (!geometry.isSymmetric()) return paddedConvolutionGradients(g, x, shape, w, geometry, wanted);
        if (!wanted.weight())
            return new LayerGradients<>(kernels.call("convolution_input_gradient", g, weight(w), geometry.stride(),
                    geometry.padTop(), shape.size(2), shape.size(3), geometry.groups()), null, null);
        List<NDArray> found = kernels.callForTensors("convolution_gradients", g, Objects.requireNonNull(x), weight(w),
                geometry.stride(), geometry.padTop(), wanted.input() ? 1 : 0, geometry.groups());
        return new LayerGradients<>(wanted.input() ? found.getFirst() : null, found.getLast(), null);
    }

    /// Pads explicitly, and cuts the padding off the input's gradient.
    private LayerGradients<NDArray> paddedConvolutionGradients(NDArray g, @Nullable NDArray x, Shape shape, NDArray w,
            ConvGeometry geometry, Wanted wanted) {
        long height = shape.size(2), width = shape.size(3);
        Shape padded = shape.with(2, height + geometry.padTop() + geometry.padBottom())
                .with(3, width + geometry.padLeft() + geometry.padRight());
        LayerGradients<NDArray> found = convolutionGradients(g, x == null ? null : pad(x, geometry), padded, w,
                ConvGeometry.strided(geometry.stride(), 0).withGroups(geometry.groups()), wanted);
        NDArray input = found.input() == null ? null
                : slice(slice(found.input(), 2, geometry.padTop(), geometry.padTop() + height), 3, geometry.padLeft(),
                        geometry.padLeft() + width);
        return new LayerGradients<>(input, found.weight(), null);
    }

    @Override
    public NDArray sumTo(NDArray g, Shape shape) {
        if (DjlShapes.shape(g).equals(shape)) return alias(g);
        long[] sizes = g.getShape().getShape();
        int missing = sizes.length - shape.rank();
        long[] axes = LongStream.range(0, sizes.length)
                .filter(i -> i < missing || shape.size((int) i - missing) != sizes[(int) i])
                .toArray();
        NDArray sum = JniUtils.sum(pt(g), axes, true);
        return JniUtils.reshape(pt(sum), shape.sizes());
    }

    @Override
    public NDArray activationGradient(Activation activation, NDArray g, NDArray x) {
        return kernels.call(switch (activation) {
            case SILU -> "silu_gradient";
            case GELU -> "gelu_gradient";
            case QUICK_GELU -> "quick_gelu_gradient";
            case RELU -> "relu_gradient";
            case TANH -> "tanh_gradient";
        }, g, x);
    }

    @Override
    public Forward<NDArray> normalize(NDArray x, LayerWeights<NDArray> layer, Norm norm) {
        List<NDArray> found = norm.groups() == 0
                ? kernels.callForTensors("layer_norm_forward", x, weight(layer.weight()), bias(layer), norm.epsilon())
                : kernels.callForTensors("group_norm_forward", x, weight(layer.weight()), bias(layer), norm.groups(),
                        norm.epsilon());
        return new Forward<>(found.getFirst(), List.of(found.get(1), found.get(2)));
    }

    @Override
    public LayerGradients<NDArray> normGradients(NDArray g, NDArray x, List<NDArray> statistics,
            LayerWeights<NDArray> layer, Norm norm, Wanted wanted) {
        int parameters = wanted.weight() || wanted.bias() ? 1 : 0;
        NDArray w = weight(layer.weight());
        List<NDArray> found = norm.groups() == 0
                ? kernels.callForTensors("layer_norm_gradients", g, x, statistics.get(0), statistics.get(1), w,
                        parameters)
                : kernels.callForTensors("group_norm_gradients", g, x, statistics.get(0), statistics.get(1), w,
                        norm.groups(), parameters);
        return new LayerGradients<>(found.get(0), parameters == 0 ? null : toFloat32(found.get(1)),
                parameters == 0 ? null : toFloat32(found.get(2)));
    }

    @Override
    public LayerGradients<NDArray> batchNormGradients(NDArray g, NDArray x, LayerWeights<NDArray> layer,
            BatchStatistics<NDArray> statistics, double epsilon, Wanted wanted) {
        int parameters = wanted.weight() || wanted.bias() ? 1 : 0;
        List<NDArray> found = kernels.callForTensors("batch_norm_gradients", g, x, weight(layer.weight()),
                weight(statistics.mean()), weight(statistics.variance()), epsilon, parameters);
        return new LayerGradients<>(found.get(0), parameters == 0 ? null : toFloat32(found.get(1)),
                parameters == 0 ? null : toFloat32(found.get(2)));
    }

    @Override
    public Forward<NDArray> pool(NDArray x, PoolWindow window) {
        List<NDArray> found = kernels.callForTensors("max_pool_forward", x, window.size(), window.stride(),
                window.padding());
        return new Forward<>(found.getFirst(), List.of(found.getLast()));
    }

    @Override
    public NDArray poolGradient(NDArray g, NDArray x, NDArray indices, PoolWindow window) {
        return kernels.call("max_pool_gradient", g, x, indices, window.size(), window.stride(), window.padding());
    }

    @Override
    public NDArray averagePoolGradient(NDArray g, Shape x) {
        return kernels.call("mean_over_pixels_gradient", g, x.size(2), x.size(3));
    }

    /// On a GPU PyTorch picks the kernel, so that its autograd computes the gradients.
    @Override
    public Forward<NDArray> attend(NDArray q, NDArray k, NDArray v, AttentionConfig config) {
        if (!isFused(q, k, config)) {
            List<NDArray> found = kernels.callForTensors("unfused_attention_forward", q, k, v, config.heads());
            return new Forward<>(found.getFirst(), List.of(found.getLast()));
        }
        if (q.getDevice().isGpu()) return new Forward<>(attention(q, k, v, config), List.of());
        List<NDArray> found = kernels.callForTensors("attention_forward", q, k, v, config.heads(), causal(config));
        return new Forward<>(found.getFirst(), found.subList(1, found.size()));
    }

    @Override
    public List<NDArray> attentionGradients(NDArray g, List<NDArray> qkv, List<NDArray> statistics,
            AttentionConfig config) {
        NDArray q = qkv.get(0), k = qkv.get(1), v = qkv.get(2);
        if (!isFused(q, k, config))
            return kernels.callForTensors("unfused_attention_gradients", g, q, k, v, statistics.getFirst(),
                    config.heads());
        return statistics.isEmpty() ? recordedAttentionGradients(g, qkv, config)
                : kernels.callForTensors("attention_gradients", g, q, k, v, statistics.get(0), statistics.get(1),
                        config.heads(), causal(config));
    }

    List<NDArray> recordedAttentionGradients(NDArray g, List<NDArray> qkv, AttentionConfig config) {
        JniUtils.setGradMode(true);
        try {
            return kernels.callForTensors("recorded_attention_gradients", g, qkv.get(0), qkv.get(1), qkv.get(2),
                    config.heads(), causal(config));
        } finally {
            JniUtils.setGradMode(false);
        }
    }

    @Override
    public NDArray ids(int[][] ids) {
        return kernels.ids(ids);
    }

    @Override
    public NDArray squaredError(NDArray predicted, NDArray target, NDArray weights) {
        return loss(predicted, target, weights);
    }

    @Override
    public NDArray squaredErrorGradient(NDArray predicted, NDArray target, NDArray weights) {
        return kernels.call("loss_gradient", predicted, target, weights);
    }

    @Override
    public NDArray crossEntropy(NDArray logits, NDArray target) {
        return kernels.call("cross_entropy", logits, target);
    }

    @Override
    public NDArray crossEntropyGradient(NDArray logits, NDArray target) {
        return kernels.call("cross_entropy_gradient", logits, target);
    }

    @Override
    public NDArray embeddingGradient(NDArray g, NDArray ids, long rows) {
        return kernels.call("embedding_gradient", g, ids, rows);
    }

    @Override
    public NDArray upsampleGradient(NDArray g, Shape x) {
        return kernels.call("upsample_gradient", g, x.size(2), x.size(3), x.size(0), x.size(1));
    }

    @Override
    public NDArray slice(NDArray x, int axis, long from, long to) {
        return JniUtils.slice(pt(x), axis < 0 ? axis + x.getShape().dimension() : axis, from, to, 1);
    }

    @Override
    public NDArray skewGradient(NDArray g, int side) {
        return kernels.call("skew_gradient", g, side);
    }

    @Override
    public void scoped(Supplier<List<NDArray>> body) {
        List<NDArray> results;
        try (NDScope scope = new NDScope()) {
            results = body.get();
            results.forEach(NDScope::unregister);
        }
        results.forEach(NDScope::register);
    }

    @Override
    public NDArray alias(NDArray array) {
        return JniUtils.detachGradient(pt(array));
    }

    @Override
    public NDArray keep(NDArray array) {
        NDScope.unregister(array);
        kept.add(array);
        return array;
    }

    @Override
    public void release(NDArray array) {
        kept.remove(array);
        array.close();
    }

    @Override
    public void close() {
        kept.forEach(NDArray::close);
        kept.clear();
    }

    @Override
    public void segmentEnds() {
        heap.trimIfDue(
                isBf16() ? KernelThresholds.MAX_UNUSED_BF16_HEAP_BYTES : KernelThresholds.MAX_UNUSED_HEAP_BYTES);
    }
}

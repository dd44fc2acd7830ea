package atomstudio.tuning.torch;

import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.MemoryAccount.Use;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The backend that counts memory: its arrays are shapes that are allocated and released as `EagerGradientOps` does it.
/// Workspace of PyTorch's kernels is counted only where it is large. Weights, inputs and parameters are not counted.
final class MemoryOps implements GradientOps<Use> {
    private static final int BF16_BYTES = 2;

    private final ShapeOps shapes = new ShapeOps();
    private final MemoryAccount account;
    private final ComputeDtype computeDtype;

    MemoryOps(MemoryAccount account, ComputeDtype computeDtype) {
        this.account = account;
        this.computeDtype = computeDtype;
    }

    private Use allocate(Shape shape, Use like) {
        return account.allocate(shape, like.bytesPerElement);
    }

    private Use view(Shape shape, Use of) {
        return account.view(shape, of);
    }

    private Use float32(Shape shape) {
        return account.allocate(shape, Float.BYTES);
    }

    @Override
    public void release(Use array) {
        account.release(array);
    }

    @Override
    public void scoped(Supplier<List<Use>> body) {
        account.scoped(body);
    }

    @Override
    public Use keep(Use array) {
        account.keep(array);
        return array;
    }

    @Override
    public Use alias(Use array) {
        return view(array.shape, array);
    }

    @Override
    public void segmentEnds() {}

    @Override
    public Shape shape(Use x) {
        return x.shape;
    }

    private static LayerWeights<Shape> shapes(LayerWeights<Use> layer) {
        return new LayerWeights<>(layer.weight().shape, layer.bias() == null ? null : layer.bias().shape);
    }

    // Operations

    @Override
    public Use add(Use a, Use b) {
        return allocate(shapes.add(a.shape, b.shape), a);
    }

    @Override
    public Use multiply(Use a, Use b) {
        return allocate(shapes.multiply(a.shape, b.shape), a);
    }

    @Override
    public Use scale(Use x, double factor) {
        return allocate(x.shape, x);
    }

    @Override
    public Use matmul(Use a, Use b) {
        return allocate(shapes.matmul(a.shape, b.shape), a);
    }

    @Override
    public Use conv2d(Use x, LayerWeights<Use> layer, ConvGeometry geometry) {
        return allocate(shapes.conv2d(x.shape, shapes(layer), geometry), x);
    }

    @Override
    public Use linear(Use x, LayerWeights<Use> layer) {
        return allocate(shapes.linear(x.shape, shapes(layer)), x);
    }

    @Override
    public Use groupNorm(Use x, LayerWeights<Use> layer, int groups, double epsilon) {
        return allocate(shapes.groupNorm(x.shape, shapes(layer), groups, epsilon), x);
    }

    @Override
    public Use layerNorm(Use x, LayerWeights<Use> layer, double epsilon) {
        return allocate(shapes.layerNorm(x.shape, shapes(layer), epsilon), x);
    }

    @Override
    public Use batchNorm(Use x, LayerWeights<Use> layer, BatchStatistics<Use> statistics, double epsilon) {
        return allocate(x.shape, x);
    }

    @Override
    public Use maxPool(Use x, PoolWindow window) {
        return allocate(shapes.maxPool(x.shape, window), x);
    }

    @Override
    public Use globalAveragePool(Use x) {
        return allocate(shapes.globalAveragePool(x.shape), x);
    }

    @Override
    public Use silu(Use x) {
        return allocate(x.shape, x);
    }

    @Override
    public Use gelu(Use x) {
        return allocate(x.shape, x);
    }

    @Override
    public Use quickGelu(Use x) {
        return allocate(x.shape, x);
    }

    @Override
    public Use relu(Use x) {
        return allocate(x.shape, x);
    }

    @Override
    public Use tanh(Use x) {
        return allocate(x.shape, x);
    }

    @Override
    public Use attention(Use q, Use k, Use v, AttentionConfig config) {
        return allocate(shapes.attention(q.shape, k.shape, v.shape, config), q);
    }

    @Override
    public Use embedding(Use table, Use ids) {
        return allocate(shapes.embedding(table.shape, ids.shape), table);
    }

    @Override
    public Use upsampleNearest(Use x, long height, long width) {
        return allocate(shapes.upsampleNearest(x.shape, height, width), x);
    }

    @Override
    public Use concat(Use a, Use b, int axis) {
        return allocate(shapes.concat(a.shape, b.shape, axis), a);
    }

    @Override
    public List<Use> split(Use x, int parts, int axis) {
        return shapes.split(x.shape, parts, axis).stream().map(part -> view(part, x)).toList();
    }

    @Override
    public Use reshape(Use x, Shape to) {
        return view(shapes.reshape(x.shape, to), x);
    }

    /// A view, though a reshape of it may copy.
    @Override
    public Use permute(Use x, int... axes) {
        return view(shapes.permute(x.shape, axes), x);
    }

    @Override
    public Use constant(Tensor tensor) {
        return float32(tensor.shape());
    }

    @Override
    public Use skewSymmetric(Use upperTriangle, int side) {
        return allocate(shapes.skewSymmetric(upperTriangle.shape, side), upperTriangle);
    }

    @Override
    public Use inverse(Use x) {
        return allocate(shapes.inverse(x.shape), x);
    }

    @Override
    public Use reciprocalRowNorms(Use x) {
        return allocate(shapes.reciprocalRowNorms(x.shape), x);
    }

    @Override
    public Use toActivationDtype(Use x) {
        return computeDtype == ComputeDtype.FP32 ? x : account.allocate(x.shape, BF16_BYTES);
    }

    @Override
    public Use toFloat32(Use x) {
        return x.bytesPerElement == Float.BYTES ? x : float32(x.shape);
    }

    // Gradients

    @Override
    public Use sumTo(Use g, Shape shape) {
        return g.shape.equals(shape) ? alias(g) : allocate(shape, g);
    }

    @Override
    public Use activationGradient(Activation activation, Use g, Use x) {
        return allocate(x.shape, g);
    }

    @Override
    public Forward<Use> normalize(Use x, LayerWeights<Use> layer, Norm norm) {
        return new Forward<>(allocate(x.shape, x), List.of());
    }

    @Override
    public LayerGradients<Use> normGradients(Use g, Use x, List<Use> statistics, LayerWeights<Use> layer, Norm norm,
            Wanted wanted) {
        Use w = layer.weight();
        return new LayerGradients<>(allocate(x.shape, g), wanted.weight() ? float32(w.shape) : null,
                wanted.bias() ? float32(w.shape) : null);
    }

    @Override
    public LayerGradients<Use> batchNormGradients(Use g, Use x, LayerWeights<Use> layer,
            BatchStatistics<Use> statistics, double epsilon, Wanted wanted) {
        return normGradients(g, x, List.of(), layer, new Norm(0, epsilon), wanted);
    }

    @Override
    public Forward<Use> pool(Use x, PoolWindow window) {
        Use y = maxPool(x, window);
        return new Forward<>(y, List.of(account.allocate(y.shape, Long.BYTES)));
    }

    @Override
    public Use poolGradient(Use g, Use x, Use indices, PoolWindow window) {
        return allocate(x.shape, g);
    }

    @Override
    public Use averagePoolGradient(Use g, Shape x) {
        return allocate(x, g);
    }

    @Override
    public Forward<Use> attend(Use q, Use k, Use v, AttentionConfig config) {
        Use y = attention(q, k, v, config);
        boolean unfused = computeDtype == ComputeDtype.BF16 && config.mask() == AttentionConfig.Mask.NONE
                && KernelThresholds.prefersUnfusedAttention(q.shape, k.shape, config.heads());
        return new Forward<>(y, List.of(unfused
                ? allocate(Shape.of(q.shape.size(0), config.heads(), q.shape.size(1), k.shape.size(1)), q)
                : alias(y)));
    }

    @Override
    public List<Use> attentionGradients(Use g, List<Use> qkv, List<Use> statistics, AttentionConfig config) {
        return qkv.stream().map(each -> allocate(each.shape, g)).toList();
    }

    @Override
    public boolean appliesTransform(Use x, LayerWeights<Use> layer, @Nullable ConvGeometry geometry) {
        boolean isFp32 = computeDtype == ComputeDtype.FP32;
        if (layer.hasBlockTransform(this))
            return isFp32 && (geometry == null || geometry.equals(ConvGeometry.same(1)));
        if (layer.kernelTransform() == null || geometry == null) return false;
        Shape weight = layer.weight().shape;
        return isFp32 && layer.kernelTransform().shape.rank() == 2
                && KernelThresholds.prefersWinograd(x.shape, weight, geometry)
                || KernelThresholds.prefersAtomsOnActivations(x.shape, weight, geometry);
    }

    @Override
    public LayerGradients<Use> layerGradients(Use g, @Nullable Use x, Shape shape, LayerWeights<Use> layer,
            @Nullable ConvGeometry geometry, Wanted wanted) {
        Use transform = layer.kernelTransform(), weight = transform == null ? layer.weight() : transform;
        return new LayerGradients<>(wanted.input() ? allocate(shape, g) : null,
                wanted.weight() ? float32(weight.shape) : null,
                wanted.bias() ? float32(Shape.of(layer.weight().shape.size(0))) : null);
    }

    @Override
    public Use ids(int[][] ids) {
        return account.allocate(Shape.of(ids.length, ids[0].length), Long.BYTES);
    }

    @Override
    public Use squaredError(Use predicted, Use target, Use weights) {
        return float32(Shape.of());
    }

    @Override
    public Use squaredErrorGradient(Use predicted, Use target, Use weights) {
        return allocate(predicted.shape, predicted);
    }

    @Override
    public Use crossEntropy(Use logits, Use target) {
        return float32(Shape.of());
    }

    @Override
    public Use crossEntropyGradient(Use logits, Use target) {
        return allocate(logits.shape, logits);
    }

    @Override
    public Use embeddingGradient(Use g, Use ids, long rows) {
        return allocate(Shape.of(rows, g.shape.size(-1)), g);
    }

    @Override
    public Use upsampleGradient(Use g, Shape x) {
        return allocate(x, g);
    }

    @Override
    public Use slice(Use x, int axis, long from, long to) {
        return view(x.shape.with(axis, to - from), x);
    }

    @Override
    public Use skewGradient(Use g, int side) {
        return allocate(Shape.of(g.shape.size(0), side * (side - 1L) / 2), g);
    }
}

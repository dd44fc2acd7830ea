package atomstudio.tuning.torch;

import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The backend that counts memory: what an operation of `EagerOps` saves for its gradient, and what lives until the end
/// of its segment. Source of what is saved: PyTorch's derivatives.yaml.
final class MemoryOps implements Ops<TensorUse> {
    private final ShapeOps shapes = new ShapeOps();
    private final int bytesPerElement;
    private final int gradientFactor;
    private final ComputeDtype computeDtype;
    private final Checkpointing checkpointing;
    private long saved;
    private long live;
    private long peak;
    private boolean insideCheckpoint;

    /// In the backward pass the gradients of a segment need about as much memory as its activations.
    private static final int GRADIENT_FACTOR = 2;

    MemoryOps(ComputeDtype computeDtype, Checkpointing checkpointing) {
        this(computeDtype, checkpointing, GradMode.ON);
    }

    MemoryOps(ComputeDtype computeDtype, Checkpointing checkpointing, GradMode gradMode) {
        this.gradientFactor = gradMode == GradMode.ON ? GRADIENT_FACTOR : 1;
        this.bytesPerElement = computeDtype == ComputeDtype.BF16 ? 2 : 4;
        this.computeDtype = computeDtype;
        this.checkpointing = checkpointing;
    }

    /// Peak bytes so far.
    long peak() {
        return peak;
    }

    private TensorUse allocate(Shape shape, TensorUse... inputs) {
        boolean recorded = false;
        for (TensorUse each : inputs) recorded |= each.requiresGrad();
        TensorUse result = new TensorUse(shape, new TensorUse.TensorStorage(shape.elements(), false),
                recorded ? GradMode.ON : GradMode.OFF);
        live += bytesPerElement * shape.elements();
        peak = Math.max(peak, saved + gradientFactor * live);
        return result;
    }

    /// Counts what a recorded result needs for its gradient.
    private TensorUse saveForBackward(TensorUse result, TensorUse... tensors) {
        if (!result.requiresGrad()) return result;
        for (TensorUse each : tensors) {
            if (each.storage().persistent || each.storage().savedForBackward) continue;
            each.storage().savedForBackward = true;
            saved += bytesPerElement * each.storage().elements;
        }
        return result;
    }

    @Override
    public TensorUse checkpointed(String name, List<TensorUse> inputs, Function<List<TensorUse>, TensorUse> body) {
        long before = live;
        long savedBefore = saved;
        boolean recomputed = !insideCheckpoint && checkpointing.recomputes(name, inputs.getFirst().shape());
        if (recomputed) {
            insideCheckpoint = true;
            inputs.forEach(input -> saveForBackward(input, input));
            savedBefore = saved;
        }
        TensorUse result = body.apply(inputs);
        live = before;
        if (recomputed) {
            insideCheckpoint = false;
            saved = savedBefore; // needed only while the segment is differentiated
        }
        TensorUse output = allocate(result.shape(), result);
        output.storage().recomputable = recomputed && checkpointing == Checkpointing.SELECTIVE;
        return output;
    }

    @Override
    public Shape shape(TensorUse x) {
        return x.shape();
    }

    @Override
    public TensorUse add(TensorUse a, TensorUse b) {
        return allocate(shapes.add(a.shape(), b.shape()), a, b);
    }

    @Override
    public TensorUse multiply(TensorUse a, TensorUse b) {
        return saveForBackward(allocate(shapes.multiply(a.shape(), b.shape()), a, b), a, b);
    }

    @Override
    public TensorUse scale(TensorUse x, double factor) {
        return allocate(x.shape(), x);
    }

    @Override
    public TensorUse matmul(TensorUse a, TensorUse b) {
        return saveForBackward(allocate(shapes.matmul(a.shape(), b.shape()), a, b), a, b);
    }

    @Override
    public TensorUse constant(Tensor tensor) {
        return TensorUse.frozen(tensor.shape());
    }

    @Override
    public TensorUse skewSymmetric(TensorUse above, int side) {
        return allocate(shapes.skewSymmetric(above.shape(), side), above);
    }

    @Override
    public TensorUse inverse(TensorUse x) {
        TensorUse y = allocate(shapes.inverse(x.shape()), x);
        return saveForBackward(y, y);
    }

    @Override
    public TensorUse reciprocalRowNorms(TensorUse x) {
        return allocate(shapes.reciprocalRowNorms(x.shape()));
    }

    @Override
    public TensorUse conv2d(TensorUse x, LayerWeights<TensorUse> layer, ConvGeometry geometry) {
        return applyLazy(x, layer, materialized -> convolution(x, materialized, geometry));
    }

    /// A layer whose effective weight is recomputed saves only its input.
    private TensorUse applyLazy(TensorUse x, LayerWeights<TensorUse> layer,
            Function<LayerWeights<TensorUse>, TensorUse> apply) {
        if (!layer.needsMaterializing(this)) return apply.apply(layer);
        if (checkpointing == Checkpointing.NONE) return apply.apply(layer.materialized(this));
        long liveBefore = live;
        long savedBefore = saved;
        TensorUse y = apply.apply(layer.materialized(this));
        saved = savedBefore;
        live = liveBefore;
        return saveInput(allocate(y.shape(), y), x);
    }

    private TensorUse convolution(TensorUse x, LayerWeights<TensorUse> lazyLayer, ConvGeometry geometry) {
        Shape weight = lazyLayer.weight().shape();
        boolean usesCustomFunction = checkpointing != Checkpointing.NONE && !lazyLayer.weight().requiresGrad();
        boolean sharedTransform = lazyLayer.kernelTransform() == null
                || lazyLayer.kernelTransform().shape().rank() == 2;
        if (usesCustomFunction && computeDtype == ComputeDtype.FP32 && sharedTransform
                && KernelThresholds.prefersWinograd(x.shape(), weight, geometry)) {
            TensorUse y = allocate(shapes.conv2d(x.shape(), new LayerWeights<>(weight, null), geometry),
                    lazyLayer.kernelTransform() == null ? x : lazyLayer.kernelTransform(), x);
            return saveInput(y, x);
        }
        if (lazyLayer.kernelTransform() != null
                && KernelThresholds.prefersAtomsOnActivations(x.shape(), weight, geometry)) {
            Shape result = shapes.conv2d(x.shape(), new LayerWeights<>(weight, null), geometry);
            TensorUse columns = allocate(
                    Shape.of(result.size(0), weight.elements() / weight.size(0), result.size(2) * result.size(3)), x,
                    lazyLayer.kernelTransform());
            if (usesCustomFunction) return saveInput(allocate(result, columns), x);
            TensorUse transformed = saveForBackward(allocate(columns.shape(), columns), columns);
            return allocate(result, transformed);
        }
        LayerWeights<TensorUse> layer = lazyLayer.materialized(this);
        TensorUse y = allocate(shapes.conv2d(x.shape(), new LayerWeights<>(weight, null), geometry), x, layer.weight());
        return saved(y, x, layer);
    }

    /// A custom function saves its input, unless that is recomputed.
    private TensorUse saveInput(TensorUse y, TensorUse x) {
        return x.storage().recomputable ? y : saveForBackward(y, x);
    }

    @Override
    public TensorUse linear(TensorUse x, LayerWeights<TensorUse> lazyLayer) {
        return applyLazy(x, lazyLayer, layer -> saved(
                allocate(shapes.linear(x.shape(), new LayerWeights<>(layer.weight().shape(), null)), x, layer.weight()),
                x, layer));
    }

    /// The input is needed for the weight's gradient, the weight for the input's.
    private TensorUse saved(TensorUse y, TensorUse x, LayerWeights<TensorUse> layer) {
        if (layer.weight().requiresGrad()) saveForBackward(y, x);
        return x.requiresGrad() ? saveForBackward(y, layer.weight()) : y;
    }

    @Override
    public TensorUse groupNorm(TensorUse x, LayerWeights<TensorUse> layer, int groups, double epsilon) {
        return saveForBackward(allocate(x.shape(), x, layer.weight(), bias(layer)), x);
    }

    @Override
    public TensorUse layerNorm(TensorUse x, LayerWeights<TensorUse> layer, double epsilon) {
        return saveForBackward(allocate(x.shape(), x, layer.weight(), bias(layer)), x);
    }

    @Override
    public TensorUse silu(TensorUse x) {
        return saveForBackward(allocate(x.shape(), x), x);
    }

    @Override
    public TensorUse gelu(TensorUse x) {
        return saveForBackward(allocate(x.shape(), x), x);
    }

    @Override
    public TensorUse quickGelu(TensorUse x) {
        return saveForBackward(allocate(x.shape(), x), x);
    }

    @Override
    public TensorUse relu(TensorUse x) {
        return saveForBackward(allocate(x.shape(), x), x);
    }

    @Override
    public TensorUse tanh(TensorUse x) {
        return saveForBackward(allocate(x.shape(), x), x);
    }

    @Override
    public TensorUse attention(TensorUse q, TensorUse k, TensorUse v, AttentionConfig config) {
        TensorUse y = allocate(q.shape(), q, k, v);
        saveForBackward(y, q, k, v, y);
        return allocate(y.shape(), y);
    }

    @Override
    public TensorUse embedding(TensorUse table, TensorUse ids) {
        return allocate(shapes.embedding(table.shape(), ids.shape()), table);
    }

    @Override
    public TensorUse upsampleNearest(TensorUse x, long height, long width) {
        return allocate(shapes.upsampleNearest(x.shape(), height, width), x);
    }

    @Override
    public TensorUse concat(TensorUse a, TensorUse b, int axis) {
        return allocate(shapes.concat(a.shape(), b.shape(), axis), a, b);
    }

    @Override
    public List<TensorUse> split(TensorUse x, int parts, int axis) {
        List<TensorUse> views = new ArrayList<>();
        for (Shape each : shapes.split(x.shape(), parts, axis)) views.add(x.view(each));
        return views;
    }

    @Override
    public TensorUse reshape(TensorUse x, Shape to) {
        return x.view(shapes.reshape(x.shape(), to));
    }

    /// A view, though a reshape of it may copy.
    @Override
    public TensorUse permute(TensorUse x, int... axes) {
        return x.view(shapes.permute(x.shape(), axes));
    }

    private static TensorUse bias(LayerWeights<TensorUse> layer) {
        @Nullable TensorUse bias = layer.bias();
        if (bias == null)
            throw new IllegalArgumentException("norm of " + layer.weight().shape() + ": expected a bias, found none");
        return bias;
    }
}

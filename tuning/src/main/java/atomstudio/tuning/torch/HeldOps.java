package atomstudio.tuning.torch;

import atomstudio.diffusion.ops.AttentionConfig;
import atomstudio.diffusion.ops.ConvGeometry;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.ShapeOps;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.DifferentiationInput.Activations;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The carrier that counts memory: what an operation of `EagerOps` saves for its gradient, and what lives until its segment ends.
/// Source of what is saved: PyTorch's derivatives.yaml.
final class HeldOps implements Ops<Held> {
    private final ShapeOps shapes = new ShapeOps();
    private final int width;
    private final int factor;
    private final Precision precision;
    private final Activations activations;
    private long saved;
    private long live;
    private long most;
    private boolean within;

    /// In the backward pass a segment has about as many gradients as it had activations.
    private static final int AND_GRADIENTS = 2;

    HeldOps(Precision precision, Activations activations) {
        this(precision, activations, Recording.ON);
    }

    HeldOps(Precision precision, Activations activations, Recording recording) {
        this.factor = recording == Recording.ON ? AND_GRADIENTS : 1;
        this.width = precision == Precision.BF16 ? 2 : 4;
        this.precision = precision;
        this.activations = activations;
    }

    /// Bytes at the worst moment so far.
    long most() {
        return most;
    }

    private Held out(Shape shape, Held... from) {
        boolean recorded = false;
        for (Held each : from) recorded |= each.recorded();
        Held made = new Held(shape, new Held.Storage(shape.elements(), false), recorded ? Recording.ON : Recording.OFF);
        live += width * shape.elements();
        most = Math.max(most, saved + factor * live);
        return made;
    }

    /// Keeps what a recorded result needs for its gradient.
    private Held saving(Held result, Held... needed) {
        if (!result.recorded()) return result;
        for (Held each : needed) {
            if (each.storage().lasting || each.storage().saved) continue;
            each.storage().saved = true;
            saved += width * each.storage().elements;
        }
        return result;
    }

    @Override public Held checkpointed(String name, List<Held> inputs, Function<List<Held>, Held> body) {
        long before = live;
        long savedBefore = saved;
        boolean again = !within && activations.recomputes(name, inputs.getFirst().shape());
        if (again) {
            within = true;
            inputs.forEach(input -> saving(input, input));
            savedBefore = saved;
        }
        Held result = body.apply(inputs);
        live = before;
        if (again) {
            within = false;
            saved = savedBefore;                                                // it is kept for as long as the segment is differentiated
        }
        Held made = out(result.shape(), result);
        made.storage().quick = again && activations == Activations.LEAN;
        return made;
    }

    @Override public Shape shape(Held x) {
        return x.shape();
    }

    @Override public Held add(Held a, Held b) {
        return out(shapes.add(a.shape(), b.shape()), a, b);
    }

    @Override public Held multiply(Held a, Held b) {
        return saving(out(shapes.multiply(a.shape(), b.shape()), a, b), a, b);
    }

    @Override public Held scale(Held x, double by) {
        return out(x.shape(), x);
    }

    @Override public Held matmul(Held a, Held b) {
        return saving(out(shapes.matmul(a.shape(), b.shape()), a, b), a, b);
    }

    @Override public Held constant(Tensor numbers) {
        return Held.frozen(numbers.shape());
    }

    @Override public Held skewSymmetric(Held above, int side) {
        return out(shapes.skewSymmetric(above.shape(), side), above);
    }

    @Override public Held inverse(Held x) {
        Held y = out(shapes.inverse(x.shape()), x);
        return saving(y, y);
    }

    @Override public Held reciprocalRowNorms(Held x) {
        return out(shapes.reciprocalRowNorms(x.shape()));
    }

    @Override public Held conv2d(Held x, LayerWeights<Held> layer, ConvGeometry geometry) {
        return tuned(x, layer, settled -> convolution(x, settled, geometry));
    }

    /// A layer that is still to be changed keeps its input where its weight is made again.
    private Held tuned(Held x, LayerWeights<Held> layer, Function<LayerWeights<Held>, Held> apply) {
        if (!layer.needsMaterializing(this)) return apply.apply(layer);
        if (activations == Activations.KEPT) return apply.apply(layer.materialized(this));
        long before = live;
        long savedBefore = saved;
        Held y = apply.apply(layer.materialized(this));
        saved = savedBefore;
        live = before;
        return owned(out(y.shape(), y), x);
    }

    private Held convolution(Held x, LayerWeights<Held> unsettled, ConvGeometry geometry) {
        Shape weight = unsettled.weight().shape();
        boolean own = activations != Activations.KEPT && !unsettled.weight().recorded();
        boolean shared = unsettled.kernelTransform() == null || unsettled.kernelTransform().shape().rank() == 2;
        if (own && precision == Precision.FP32 && shared && WinogradConvolution.pays(x.shape(), weight, geometry)) {
            Held y = out(shapes.conv2d(x.shape(), new LayerWeights<>(weight, null), geometry), unsettled.kernelTransform() == null ? x : unsettled.kernelTransform(), x);
            return owned(y, x);
        }
        if (unsettled.kernelTransform() != null && MixedConvolution.pays(x.shape(), weight, geometry)) {
            Shape result = shapes.conv2d(x.shape(), new LayerWeights<>(weight, null), geometry);
            Held columns = out(Shape.of(result.size(0), weight.elements() / weight.size(0), result.size(2) * result.size(3)), x, unsettled.kernelTransform());
            if (own) return owned(out(result, columns), x);
            Held mixed = saving(out(columns.shape(), columns), columns);
            return out(result, mixed);
        }
        LayerWeights<Held> layer = unsettled.materialized(this);
        Held y = out(shapes.conv2d(x.shape(), new LayerWeights<>(weight, null), geometry), x, layer.weight());
        return saved(y, x, layer);
    }

    /// With gradients of its own it keeps its input, unless that is quickly there again.
    private Held owned(Held y, Held x) {
        return x.storage().quick ? y : saving(y, x);
    }

    @Override public Held linear(Held x, LayerWeights<Held> unsettled) {
        return tuned(x, unsettled, layer -> saved(out(shapes.linear(x.shape(), new LayerWeights<>(layer.weight().shape(), null)), x, layer.weight()), x, layer));
    }

    /// The input is needed for the weight's gradient, the weight for the input's.
    private Held saved(Held y, Held x, LayerWeights<Held> layer) {
        if (layer.weight().recorded()) saving(y, x);
        return x.recorded() ? saving(y, layer.weight()) : y;
    }

    @Override public Held groupNorm(Held x, LayerWeights<Held> layer, int groups, double epsilon) {
        return saving(out(x.shape(), x, layer.weight(), bias(layer)), x);
    }

    @Override public Held layerNorm(Held x, LayerWeights<Held> layer, double epsilon) {
        return saving(out(x.shape(), x, layer.weight(), bias(layer)), x);
    }

    @Override public Held silu(Held x) {
        return saving(out(x.shape(), x), x);
    }

    @Override public Held gelu(Held x) {
        return saving(out(x.shape(), x), x);
    }

    @Override public Held quickGelu(Held x) {
        return saving(out(x.shape(), x), x);
    }

    @Override public Held relu(Held x) {
        return saving(out(x.shape(), x), x);
    }

    @Override public Held tanh(Held x) {
        return saving(out(x.shape(), x), x);
    }

    @Override public Held attention(Held q, Held k, Held v, AttentionConfig heads) {
        Held y = out(q.shape(), q, k, v);
        saving(y, q, k, v, y);
        return out(y.shape(), y);
    }

    @Override public Held embedding(Held table, Held ids) {
        return out(shapes.embedding(table.shape(), ids.shape()), table);
    }

    @Override public Held upsampleNearest(Held x, long height, long width) {
        return out(shapes.upsampleNearest(x.shape(), height, width), x);
    }

    @Override public Held concat(Held a, Held b, int axis) {
        return out(shapes.concat(a.shape(), b.shape(), axis), a, b);
    }

    @Override public List<Held> split(Held x, int parts, int axis) {
        List<Held> views = new ArrayList<>();
        for (Shape each : shapes.split(x.shape(), parts, axis)) views.add(x.view(each));
        return views;
    }

    @Override public Held reshape(Held x, Shape to) {
        return x.view(shapes.reshape(x.shape(), to));
    }

    /// A view, though a reshape of it may copy.
    @Override public Held permute(Held x, int... axes) {
        return x.view(shapes.permute(x.shape(), axes));
    }

    private static Held bias(LayerWeights<Held> layer) {
        @Nullable Held bias = layer.bias();
        if (bias == null) throw new IllegalArgumentException("norm of " + layer.weight().shape() + ": expected a bias, found none");
        return bias;
    }
}

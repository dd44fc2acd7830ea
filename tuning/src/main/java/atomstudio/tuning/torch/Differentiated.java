package atomstudio.tuning.torch;

import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import atomstudio.tuning.torch.GradientOps.Activation;
import atomstudio.tuning.torch.GradientOps.Forward;
import atomstudio.tuning.torch.GradientOps.LayerGradients;
import atomstudio.tuning.torch.GradientOps.Norm;
import atomstudio.tuning.torch.GradientOps.Wanted;
import atomstudio.tuning.torch.Tape.Variable;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Operations with their derivatives, over a backend that records nothing: each computes its result and adds its
/// derivative to the tape. Segments and effective weights are recomputed according to `checkpointing`.
record Differentiated<T>(GradientOps<T> backend, Tape<T> tape, Checkpointing checkpointing)
        implements LossOps<Variable<T>> {
    private Variable<T> record(T result, List<Variable<T>> inputs, List<Variable<T>> saved, Consumer<T> backward) {
        return tape.record(new Forward<>(result, List.of()), inputs, saved, backward);
    }

    @Override
    public Variable<T> checkpointed(String name, List<Variable<T>> inputs,
            Function<List<Variable<T>>, Variable<T>> body) {
        backend.segmentEnds();
        Function<List<Variable<T>>, List<Variable<T>>> segment = in -> List.of(body.apply(in));
        if (tape.recomputing() || !checkpointing.recomputes(name, shape(inputs.getFirst())))
            return tape.scoped(() -> segment.apply(inputs)).getFirst();
        Tape.Results results = checkpointing == Checkpointing.FULL ? Tape.Results.KEPT : Tape.Results.DROPPED;
        return tape.recomputable(inputs, segment, results).getFirst();
    }

    @Override
    public Shape shape(Variable<T> x) {
        return backend.shape(x.array());
    }

    @Override
    public Variable<T> add(Variable<T> a, Variable<T> b) {
        Shape shapeA = shape(a), shapeB = shape(b);
        return record(backend.add(a.array(), b.array()), List.of(a, b), List.of(), g -> {
            if (a.requiresGrad()) tape.accumulate(a, backend.sumTo(g, shapeA));
            if (b.requiresGrad()) tape.accumulate(b, backend.sumTo(g, shapeB));
        });
    }

    @Override
    public Variable<T> multiply(Variable<T> a, Variable<T> b) {
        Shape shapeA = shape(a), shapeB = shape(b);
        return record(backend.multiply(a.array(), b.array()), List.of(a, b), factors(a, b), g -> {
            if (a.requiresGrad()) tape.accumulate(a, backend.sumTo(backend.multiply(g, tape.value(b)), shapeA));
            if (b.requiresGrad()) tape.accumulate(b, backend.sumTo(backend.multiply(g, tape.value(a)), shapeB));
        });
    }

    /// What the derivative of a product needs.
    private static <T> List<Variable<T>> factors(Variable<T> a, Variable<T> b) {
        return Stream
                .concat(b.requiresGrad() ? Stream.of(a) : Stream.empty(),
                        a.requiresGrad() ? Stream.of(b) : Stream.empty())
                .toList();
    }

    @Override
    public Variable<T> scale(Variable<T> x, double factor) {
        return record(backend.scale(x.array(), factor), List.of(x), List.of(),
                g -> tape.accumulate(x, backend.scale(g, factor)));
    }

    @Override
    public Variable<T> matmul(Variable<T> a, Variable<T> b) {
        return record(backend.matmul(a.array(), b.array()), List.of(a, b), factors(a, b), g -> {
            if (a.requiresGrad()) tape.accumulate(a, backend.matmul(g, transposed(tape.value(b))));
            if (b.requiresGrad()) tape.accumulate(b, backend.matmul(transposed(tape.value(a)), g));
        });
    }

    private T transposed(T x) {
        int rank = backend.shape(x).rank();
        int[] axes = new int[rank];
        for (int i = 0; i < rank; i++) axes[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
        return backend.permute(x, axes);
    }

    @Override
    public Variable<T> linear(Variable<T> x, LayerWeights<Variable<T>> layer) {
        return layer(x, layer, null);
    }

    @Override
    public Variable<T> conv2d(Variable<T> x, LayerWeights<Variable<T>> layer, ConvGeometry geometry) {
        return layer(x, layer, geometry);
    }

    private Variable<T> layer(Variable<T> x, LayerWeights<Variable<T>> pending, @Nullable ConvGeometry geometry) {
        return tape.scoped(() -> {
            LayerWeights<Variable<T>> layer = effective(x, pending, geometry);
            Variable<T> weight = layer.kernelTransform() == null ? layer.weight() : layer.kernelTransform();
            Variable<T> bias = layer.bias();
            Wanted wanted = new Wanted(x.requiresGrad(), weight.requiresGrad(), bias != null && bias.requiresGrad());
            LayerWeights<T> arrays = arrays(layer);
            List<Variable<T>> inputs = bias == null ? List.of(x, weight) : List.of(x, weight, bias);
            List<Variable<T>> saved = new ArrayList<>(List.of(weight, layer.weight()));
            if (wanted.weight()) saved.add(x);
            Shape shape = shape(x);
            T y = geometry == null ? backend.linear(x.array(), arrays) : backend.conv2d(x.array(), arrays, geometry);
            return List.of(record(y, inputs, saved, g -> {
                LayerWeights<T> values = new LayerWeights<>(tape.value(layer.weight()), null,
                        layer.kernelTransform() == null ? null : tape.value(layer.kernelTransform()));
                LayerGradients<T> gradients = backend.layerGradients(g, wanted.weight() ? tape.value(x) : null, shape,
                        values, geometry, wanted);
                accumulate(inputs, gradients);
            }));
        }).getFirst();
    }

    private static <T> LayerWeights<T> arrays(LayerWeights<Variable<T>> layer) {
        return new LayerWeights<>(layer.weight().array(), layer.bias() == null ? null : layer.bias().array(),
                layer.kernelTransform() == null ? null : layer.kernelTransform().array());
    }

    /// The layer with its pending change computed, unless the backend computes with the change itself.
    private LayerWeights<Variable<T>> effective(Variable<T> x, LayerWeights<Variable<T>> layer,
            @Nullable ConvGeometry geometry) {
        Variable<T> transform = layer.kernelTransform();
        if (layer.deferred() == null
                && (transform == null || backend.appliesTransform(x.array(), arrays(layer), geometry)))
            return layer;
        Function<List<Variable<T>>, List<Variable<T>>> body = in -> {
            LayerWeights<Variable<T>> effective = (transform == null ? layer
                    : new LayerWeights<>(layer.weight(), layer.bias(), in.getFirst())).materialized(this);
            return effective.bias() == null ? List.of(effective.weight())
                    : List.of(effective.weight(), effective.bias());
        };
        List<Variable<T>> inputs = transform == null ? List.of() : List.of(transform);
        List<Variable<T>> effective = checkpointing == Checkpointing.NONE ? body.apply(inputs)
                : tape.recomputable(inputs, body, Tape.Results.DROPPED);
        return new LayerWeights<>(effective.getFirst(), effective.size() == 1 ? null : effective.getLast());
    }

    @Override
    public Variable<T> groupNorm(Variable<T> x, LayerWeights<Variable<T>> layer, int groups, double epsilon) {
        return norm(x, layer, new Norm(groups, epsilon));
    }

    @Override
    public Variable<T> layerNorm(Variable<T> x, LayerWeights<Variable<T>> layer, double epsilon) {
        return norm(x, layer, new Norm(0, epsilon));
    }

    private Variable<T> norm(Variable<T> x, LayerWeights<Variable<T>> layer, Norm norm) {
        Variable<T> weight = layer.weight(), bias = layer.bias();
        Forward<T> forward = backend.normalize(x.array(), arrays(layer), norm);
        Wanted wanted = new Wanted(x.requiresGrad(), weight.requiresGrad(), bias != null && bias.requiresGrad());
        List<Variable<T>> inputs = bias == null ? List.of(x, weight) : List.of(x, weight, bias);
        return tape.record(forward, inputs, List.of(x, weight), g -> {
            LayerGradients<T> gradients = backend.normGradients(g, tape.value(x), forward.statistics(),
                    new LayerWeights<>(tape.value(weight), null), norm, wanted);
            accumulate(inputs, gradients);
        });
    }

    /// The statistics are not differentiated.
    @Override
    public Variable<T> batchNorm(Variable<T> x, LayerWeights<Variable<T>> layer,
            BatchStatistics<Variable<T>> statistics,
            double epsilon) {
        Variable<T> weight = layer.weight(), bias = layer.bias(), mean = statistics.mean(),
                variance = statistics.variance();
        T y = backend.batchNorm(x.array(), arrays(layer), new BatchStatistics<>(mean.array(), variance.array()),
                epsilon);
        Wanted wanted = new Wanted(x.requiresGrad(), weight.requiresGrad(), bias != null && bias.requiresGrad());
        List<Variable<T>> inputs = bias == null ? List.of(x, weight) : List.of(x, weight, bias);
        return record(y, inputs, List.of(x, weight, mean, variance), g -> {
            LayerGradients<T> gradients = backend.batchNormGradients(g, tape.value(x),
                    new LayerWeights<>(tape.value(weight), null),
                    new BatchStatistics<>(tape.value(mean), tape.value(variance)), epsilon, wanted);
            accumulate(inputs, gradients);
        });
    }

    @Override
    public Variable<T> maxPool(Variable<T> x, PoolWindow window) {
        Forward<T> forward = backend.pool(x.array(), window);
        return tape.record(forward, List.of(x), List.of(x), g -> tape.accumulate(x,
                backend.poolGradient(g, tape.value(x), forward.statistics().getFirst(), window)));
    }

    @Override
    public Variable<T> globalAveragePool(Variable<T> x) {
        Shape shape = shape(x);
        return record(backend.globalAveragePool(x.array()), List.of(x), List.of(),
                g -> tape.accumulate(x, backend.averagePoolGradient(g, shape)));
    }

    /// @param inputs the layer's input, weight and bias, if any
    private void accumulate(List<Variable<T>> inputs, LayerGradients<T> gradients) {
        tape.accumulate(inputs.get(0), gradients.input());
        tape.accumulate(inputs.get(1), gradients.weight());
        if (inputs.size() > 2) tape.accumulate(inputs.get(2), gradients.bias());
    }

    @Override
    public Variable<T> silu(Variable<T> x) {
        return activation(Activation.SILU, x, backend.silu(x.array()));
    }

    @Override
    public Variable<T> gelu(Variable<T> x) {
        return activation(Activation.GELU, x, backend.gelu(x.array()));
    }

    @Override
    public Variable<T> quickGelu(Variable<T> x) {
        return activation(Activation.QUICK_GELU, x, backend.quickGelu(x.array()));
    }

    @Override
    public Variable<T> relu(Variable<T> x) {
        return activation(Activation.RELU, x, backend.relu(x.array()));
    }

    @Override
    public Variable<T> tanh(Variable<T> x) {
        return activation(Activation.TANH, x, backend.tanh(x.array()));
    }

    private Variable<T> activation(Activation activation, Variable<T> x, T result) {
        return record(result, List.of(x), List.of(x),
                g -> tape.accumulate(x, backend.activationGradient(activation, g, tape.value(x))));
    }

    @Override
    public Variable<T> attention(Variable<T> q, Variable<T> k, Variable<T> v, AttentionConfig config) {
        List<Variable<T>> inputs = List.of(q, k, v);
        Forward<T> forward = backend.attend(q.array(), k.array(), v.array(), config);
        return tape.record(forward, inputs, inputs, g -> {
            List<T> gradients = backend.attentionGradients(g, inputs.stream().map(tape::value).toList(),
                    forward.statistics(), config);
            for (int i = 0; i < 3; i++) tape.accumulate(inputs.get(i), gradients.get(i));
        });
    }

    @Override
    public Variable<T> embedding(Variable<T> table, Variable<T> ids) {
        long rows = shape(table).size(0);
        return record(backend.embedding(table.array(), ids.array()), List.of(table), List.of(ids),
                g -> tape.accumulate(table, backend.embeddingGradient(g, tape.value(ids), rows)));
    }

    @Override
    public Variable<T> upsampleNearest(Variable<T> x, long height, long width) {
        Shape shape = shape(x);
        return record(backend.upsampleNearest(x.array(), height, width), List.of(x), List.of(),
                g -> tape.accumulate(x, backend.upsampleGradient(g, shape)));
    }

    @Override
    public Variable<T> concat(Variable<T> a, Variable<T> b, int axis) {
        long first = shape(a).size(axis), all = first + shape(b).size(axis);
        return record(backend.concat(a.array(), b.array(), axis), List.of(a, b), List.of(), g -> {
            if (a.requiresGrad()) tape.accumulate(a, backend.slice(g, axis, 0, first));
            if (b.requiresGrad()) tape.accumulate(b, backend.slice(g, axis, first, all));
        });
    }

    @Override
    public List<Variable<T>> split(Variable<T> x, int parts, int axis) {
        List<T> arrays = backend.split(x.array(), parts, axis);
        return tape.record(arrays, x, gradients -> tape.accumulate(x, joined(gradients, axis)));
    }

    private T joined(List<@Nullable T> parts, int axis) {
        T like = parts.stream().filter(Objects::nonNull).findFirst().orElseThrow();
        T joined = null;
        for (T each : parts) {
            T part = each == null ? backend.scale(like, 0) : each;
            joined = joined == null ? part : backend.concat(joined, part, axis);
        }
        return joined == like ? backend.alias(like) : Objects.requireNonNull(joined);
    }

    @Override
    public Variable<T> reshape(Variable<T> x, Shape to) {
        Shape shape = shape(x);
        return record(backend.reshape(x.array(), to), List.of(x), List.of(),
                g -> tape.accumulate(x, backend.reshape(g, shape)));
    }

    @Override
    public Variable<T> permute(Variable<T> x, int... axes) {
        int[] inverse = new int[axes.length];
        for (int i = 0; i < axes.length; i++) inverse[axes[i]] = i;
        return record(backend.permute(x.array(), axes), List.of(x), List.of(),
                g -> tape.accumulate(x, backend.permute(g, inverse)));
    }

    @Override
    public Variable<T> constant(Tensor tensor) {
        return Variable.constant(backend.constant(tensor));
    }

    @Override
    public Variable<T> skewSymmetric(Variable<T> upperTriangle, int side) {
        return record(backend.skewSymmetric(upperTriangle.array(), side), List.of(upperTriangle), List.of(),
                g -> tape.accumulate(upperTriangle, backend.skewGradient(g, side)));
    }

    /// d(X⁻¹) = −X⁻¹ dX X⁻¹.
    @Override
    public Variable<T> inverse(Variable<T> x) {
        T y = backend.inverse(x.array());
        Forward<T> forward = new Forward<>(y, List.of(backend.alias(y)));
        return tape.record(forward, List.of(x), List.of(), g -> {
            T transposed = transposed(forward.statistics().getFirst());
            tape.accumulate(x, backend.scale(backend.matmul(backend.matmul(transposed, g), transposed), -1));
        });
    }

    @Override
    public Variable<T> reciprocalRowNorms(Variable<T> x) {
        return Variable.constant(backend.reciprocalRowNorms(x.array()));
    }

    @Override
    public Variable<T> input(Tensor values) {
        return toActivationDtype(Variable.frozen(backend.constant(values)));
    }

    @Override
    public Variable<T> input(int[][] ids) {
        return Variable.frozen(backend.ids(ids));
    }

    @Override
    public Variable<T> squaredError(Variable<T> predicted, Tensor target, Tensor weights) {
        Variable<T> x = toFloat32(predicted), y = Variable.frozen(backend.constant(target)),
                w = Variable.frozen(backend.constant(weights));
        return record(backend.squaredError(x.array(), y.array(), w.array()), List.of(x), List.of(x),
                g -> tape.accumulate(x, backend.multiply(
                        backend.squaredErrorGradient(tape.value(x), y.array(), w.array()), g)));
    }

    @Override
    public Variable<T> crossEntropy(Variable<T> logits, Tensor target) {
        Variable<T> x = toFloat32(logits), y = Variable.frozen(backend.constant(target));
        return record(backend.crossEntropy(x.array(), y.array()), List.of(x), List.of(x),
                g -> tape.accumulate(x, backend.multiply(
                        backend.crossEntropyGradient(tape.value(x), y.array()), g)));
    }

    private Variable<T> toFloat32(Variable<T> x) {
        T converted = backend.toFloat32(x.array());
        return converted == x.array() ? x
                : record(converted, List.of(x), List.of(), g -> tape.accumulate(x, backend.toActivationDtype(g)));
    }

    /// Float32 values in the dtype of activations.
    @Override
    public Variable<T> toActivationDtype(Variable<T> x) {
        T converted = backend.toActivationDtype(x.array());
        return converted == x.array() ? x
                : record(converted, List.of(x), List.of(), g -> tape.accumulate(x, backend.toFloat32(g)));
    }
}

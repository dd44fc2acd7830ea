package atomstudio.tuning.torch;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The operations of a training step in their order, for the backward pass. Each adds its derivative, with the values
/// that the derivative needs; these are kept until it has run. A value may know how to be recomputed (the output of a
/// segment, an effective weight): then it is not kept, but recomputed, with a tape of its own, when a derivative needs
/// it.
/// Source: Chen, Xu, Zhang, Guestrin 2016, "Training Deep Nets with Sublinear Memory Cost".
final class Tape<T> {
    /// A value and, in the backward pass, its gradient.
    static final class Variable<T> {
        /// Always the same array, or converted by each call for the current scope.
        private final Supplier<T> array;
        private final boolean requiresGrad;
        /// Weights and inputs, which exist before and after the step.
        private final boolean persistent;
        /// How to compute it again, if it is not kept, and which of the results it is.
        private @Nullable Recomputation<T> source;
        private int sourceIndex;
        /// A handle of the array that outlives its scope, while operations on the tape need it.
        private @Nullable T saved;
        private int savedBy;
        private @Nullable T gradient;

        private Variable(T array, boolean requiresGrad, boolean persistent) {
            this(() -> array, requiresGrad, persistent);
        }

        private Variable(Supplier<T> array, boolean requiresGrad, boolean persistent) {
            this.array = array;
            this.requiresGrad = requiresGrad;
            this.persistent = persistent;
        }

        static <T> Variable<T> frozen(T array) {
            return new Variable<>(array, false, true);
        }

        /// A frozen weight that may be converted at each use.
        static <T> Variable<T> frozenFrom(Supplier<T> array) {
            return new Variable<>(array, false, true);
        }

        static <T> Variable<T> trainable(T array) {
            return new Variable<>(array, true, true);
        }

        /// A constant of the current scope.
        static <T> Variable<T> constant(T array) {
            return new Variable<>(array, false, false);
        }

        /// The value; only in the forward pass.
        T array() {
            return array.get();
        }

        boolean requiresGrad() {
            return requiresGrad;
        }

        /// Kept until released, or until the backend is closed.
        @Nullable
        T gradient() {
            return gradient;
        }
    }

    /// @param statistics what the derivative needs beside variables
    private record Node<T>(List<Variable<T>> outputs, List<Variable<T>> saved, List<T> statistics,
            Consumer<List<@Nullable T>> backward) {}

    private static final class Recomputation<T> {
        private final List<Variable<T>> inputs;
        private final Function<List<Variable<T>>, List<Variable<T>>> body;
        private List<Variable<T>> innerInputs = List.of();
        private List<Variable<T>> outputs = List.of();
        private List<Node<T>> nodes = List.of();

        Recomputation(List<Variable<T>> inputs, Function<List<Variable<T>>, List<Variable<T>>> body) {
            this.inputs = inputs;
            this.body = body;
        }
    }

    /// Whether the results of a recomputable function are kept where they are saved.
    enum Results { KEPT, DROPPED }

    private final GradientOps<T> backend;
    private List<Node<T>> nodes = new ArrayList<>();
    private boolean recording = true;
    private boolean recomputing;

    Tape(GradientOps<T> backend) {
        this.backend = backend;
    }

    /// Differentiates a value; gradients accumulate at the trainable variables. Empties the tape.
    void backward(Variable<T> value, T gradient) {
        recording = false;
        accumulate(value, gradient);
        differentiate(nodes);
        recording = true;
    }

    private void differentiate(List<Node<T>> all) {
        while (!all.isEmpty()) {
            Node<T> node = all.removeLast();
            List<@Nullable T> gradients = new ArrayList<>();
            for (Variable<T> output : node.outputs) {
                gradients.add(output.gradient);
                output.gradient = null;
            }
            if (gradients.stream().anyMatch(Objects::nonNull)) backend.scoped(() -> {
                node.backward.accept(gradients);
                return List.of();
            });
            for (T gradient : gradients) if (gradient != null) backend.release(gradient);
            node.saved.forEach(this::unsave);
            node.statistics.forEach(backend::release);
        }
    }

    /// Adds to a variable's gradient, in the backward pass.
    void accumulate(Variable<T> variable, @Nullable T gradient) {
        if (gradient == null || !variable.requiresGrad) return;
        T previous = variable.gradient;
        variable.gradient = backend.keep(previous == null ? gradient : backend.add(previous, gradient));
        if (previous == null) return;
        backend.release(previous);
        backend.release(gradient);
    }

    /// An operation with one result.
    Variable<T> record(GradientOps.Forward<T> forward, List<Variable<T>> inputs, List<Variable<T>> saved,
            Consumer<T> backward) {
        boolean requiresGrad = inputs.stream().anyMatch(Variable::requiresGrad);
        Variable<T> result = new Variable<>(forward.result(), requiresGrad, false);
        if (requiresGrad && recording)
            add(List.of(result), saved, forward.statistics(), gradients -> backward.accept(gradients.getFirst()));
        return result;
    }

    /// An operation with several results and one input; a gradient is null where a result was not used.
    List<Variable<T>> record(List<T> arrays, Variable<T> input, Consumer<List<@Nullable T>> backward) {
        List<Variable<T>> results = arrays.stream()
                .map(array -> new Variable<>(array, input.requiresGrad, false))
                .toList();
        if (input.requiresGrad && recording) add(results, List.of(), List.of(), backward);
        return results;
    }

    private void add(List<Variable<T>> results, List<Variable<T>> saved, List<T> statistics,
            Consumer<List<@Nullable T>> backward) {
        saved.forEach(this::save);
        statistics.forEach(backend::keep);
        nodes.add(new Node<>(results, saved, statistics, backward));
    }

    private void save(Variable<T> variable) {
        if (!variable.persistent && variable.source == null && variable.savedBy++ == 0)
            variable.saved = backend.keep(backend.alias(variable.array()));
    }

    private void unsave(Variable<T> variable) {
        if (variable.persistent || variable.source != null || --variable.savedBy > 0) return;
        backend.release(Objects.requireNonNull(variable.saved));
        variable.saved = null;
    }

    /// A saved value, in the backward pass.
    T value(Variable<T> variable) {
        if (variable.source != null)
            return value(recomputed(variable.source).outputs.get(variable.sourceIndex));
        return variable.persistent ? variable.array() : Objects.requireNonNull(variable.saved);
    }

    /// Whether the operations that are recorded now are those of a recomputed function.
    boolean recomputing() {
        return recomputing;
    }

    /// A function that is recorded as one operation, and recomputed in the backward pass.
    List<Variable<T>> recomputable(List<Variable<T>> inputs, Function<List<Variable<T>>, List<Variable<T>>> body,
            Results results) {
        if (!recording) return scoped(() -> body.apply(inputs));
        recording = false;
        List<Variable<T>> inner = scoped(() -> body.apply(inputs));
        recording = true;
        if (inner.stream().noneMatch(Variable::requiresGrad)) return inner;
        Recomputation<T> source = new Recomputation<>(inputs, body);
        List<Variable<T>> outputs = new ArrayList<>();
        for (Variable<T> each : inner) {
            Variable<T> output = each.persistent ? each : new Variable<>(each.array(), each.requiresGrad, false);
            if (results == Results.DROPPED && !each.persistent) {
                output.source = source;
                output.sourceIndex = outputs.size();
            }
            outputs.add(output);
        }
        add(outputs, inputs, List.of(), gradients -> differentiate(source, gradients));
        return outputs;
    }

    private Recomputation<T> recomputed(Recomputation<T> source) {
        if (!source.outputs.isEmpty()) return source;
        List<Node<T>> outerNodes = nodes;
        boolean outerRecording = recording, outerRecomputing = recomputing;
        nodes = new ArrayList<>();
        recording = true;
        recomputing = true;
        source.innerInputs = source.inputs.stream()
                .map(input -> new Variable<>(value(input), input.requiresGrad, true))
                .toList();
        source.outputs = scoped(() -> source.body.apply(source.innerInputs));
        source.outputs.forEach(this::save);
        source.nodes = nodes;
        nodes = outerNodes;
        recording = outerRecording;
        recomputing = outerRecomputing;
        return source;
    }

    private void differentiate(Recomputation<T> source, List<@Nullable T> gradients) {
        backend.segmentEnds();
        recomputed(source);
        for (int i = 0; i < gradients.size(); i++) {
            T gradient = gradients.get(i);
            if (gradient != null) accumulate(source.outputs.get(i), backend.alias(gradient));
        }
        differentiate(source.nodes);
        for (int i = 0; i < source.inputs.size(); i++) {
            accumulate(source.inputs.get(i), source.innerInputs.get(i).gradient);
            source.innerInputs.get(i).gradient = null;
        }
        source.outputs.forEach(this::unsave);
        source.outputs = List.of();
        source.innerInputs = List.of();
    }

    /// Frees what is created within, except the results and what is saved.
    List<Variable<T>> scoped(Supplier<List<Variable<T>>> body) {
        List<Variable<T>> results = new ArrayList<>();
        backend.scoped(() -> {
            results.addAll(body.get());
            return results.stream().filter(each -> !each.persistent).map(Variable::array).toList();
        });
        return results;
    }
}

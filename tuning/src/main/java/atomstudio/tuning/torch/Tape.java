package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import atomstudio.tuning.torch.DifferentiationInput.Activations;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A step in segments. Recording is cut at each segment's inputs and output, so that a segment can be differentiated by itself, last to
/// first. One that is recomputed (gradient checkpointing) is run without recording and keeps its inputs alone; when its gradient is asked
/// for it is run again, recorded. What lies between segments is recorded as ever.
/// Source: Chen, Xu, Zhang, Guestrin 2016, "Training Deep Nets with Sublinear Memory Cost".
final class Tape implements AutoCloseable {
    /// Where recording is cut: `leaf` stands for `original` in every segment from the `first` on that it goes into.
    private record Cut(NDArray original, NDArray leaf, int first) {}

    private sealed interface Entry {
        /// What the gradient by the output is gathered at: the output itself, or, so that nothing of it is held, a zero that was added to it.
        NDArray leaf();
    }

    /// `recorded` is what the segment gives itself, where its recording was kept; `output` is what was made of it.
    private record Segment(List<NDArray> inputs, Function<List<NDArray>, NDArray> body, @Nullable NDArray recorded, NDArray leaf, NDArray output) implements Entry {}

    /// Where the input came straight from a segment that is computed again, so is it, and `input` gathers its gradient alone.
    private record Owned(NDArray input, @Nullable Segment source, Own operation, NDArray leaf) implements Entry {}

    /// An operation that computes its gradients itself: nothing of it is recorded.
    interface Own {
        NDArray output(NDArray input);

        /// Whether it has trained numbers; it has, where they are kept.
        default boolean trains() {
            return !kept().isEmpty();
        }

        /// What it needs until its gradients are asked for, beside its input, and the segment that made it would free.
        List<NDArray> kept();

        /// By the input, if asked for, and by what is trained, of the output's gradient. Not recorded.
        Gradients gradients(NDArray input, NDArray gradient, boolean byInput);
    }

    record Gradients(@Nullable NDArray input, List<Part> trained) {
        Gradients {
            trained = List.copyOf(trained);
        }
    }

    /// The gradient by something that is recorded.
    record Part(NDArray recorded, NDArray gradient) {}

    /// What is differentiated together: a step, or a segment that is computed again, whose inputs gather their gradients for what lies before it.
    private record Stretch(List<NDArray> inputs, List<Entry> entries, List<Cut> cuts) {
        Stretch(List<NDArray> inputs) {
            this(inputs, new ArrayList<>(), new ArrayList<>());
        }
    }

    private record Again(Segment segment, NDArray output, Stretch stretch) {}

    private final Kernels kernels;
    private final NativeHeap heap;
    private final Activations activations;
    private Stretch stretch = new Stretch(List.of());
    /// What outlives the segment that it was made in.
    private final List<NDArray> kept = new ArrayList<>();
    private @Nullable Again again;
    private boolean trained;
    private boolean within;
    private boolean unrecorded;

    Tape(Kernels kernels, NativeHeap heap, Activations activations) {
        this.kernels = kernels;
        this.heap = heap;
        this.activations = activations;
    }

    /// To be called wherever trained numbers are used: only a segment that does so, or has a recorded input, has gradients to give.
    void usesTrained() {
        trained = true;
    }

    NDArray run(String name, List<NDArray> inputs, Function<List<NDArray>, NDArray> body) {
        heap.tidy();
        if (within) return scoped(() -> body.apply(inputs));                    // part of a segment that is recomputed as a whole
        List<NDArray> leaves = inputs.stream().map(this::cut).toList();
        boolean outside = trained;
        trained = leaves.stream().anyMatch(kernels::recorded);
        boolean again = activations.recomputes(name, Arrays.shape(inputs.getFirst()));
        NDArray output = again ? unrecorded(leaves, body) : scoped(() -> body.apply(leaves));
        boolean mine = trained;
        trained = outside || mine;
        if (!mine) return output;
        if (again) {
            NDArray zero = zero(output), sum = kernels.plus(output, zero);
            stretch.entries.add(new Segment(leaves, body, null, zero, sum));
            return sum;
        }
        NDArray leaf = keep(JniUtils.detachGradient((PtNDArray) keep(output)));
        leaf.setRequiresGradient(true);
        stretch.entries.add(new Segment(leaves, body, output, leaf, leaf));
        return leaf;
    }

    private NDArray zero(NDArray like) {
        NDArray zero = keep(kernels.zero(like));
        zero.setRequiresGradient(true);
        return zero;
    }

    private NDArray unrecorded(List<NDArray> leaves, Function<List<NDArray>, NDArray> body) {
        within = true;
        unrecorded = true;
        try {
            return unrecorded(() -> body.apply(leaves));
        } finally {
            within = false;
            unrecorded = false;
        }
    }

    /// Runs an operation that has its own gradients; recording is cut at its input and its output.
    NDArray run(NDArray input, Own operation) {
        heap.tidy();
        if (unrecorded || !operation.trains() && !kernels.recorded(input)) return scoped(() -> operation.output(input));
        Segment source = source(input);
        NDArray leaf = source == null ? cut(input) : source.leaf;
        if (leaf == input) keep(input);                                         // its segment would free it
        operation.kept().forEach(this::keep);
        NDArray output = unrecorded(() -> operation.output(input));
        NDArray zero = zero(output);
        stretch.entries.add(new Owned(leaf, source, operation, zero));
        return kernels.plus(output, zero);
    }

    /// The segment that gave an input and is so quick that it may be computed again for this alone.
    private @Nullable Segment source(NDArray input) {
        if (activations != Activations.LEAN || stretch.entries.isEmpty()) return null;
        return stretch.entries.getLast() instanceof Segment segment && segment.recorded == null && segment.output == input ? segment : null;
    }

    private static NDArray unrecorded(Supplier<NDArray> body) {
        JniUtils.setGradMode(false);
        try {
            return scoped(body);
        } finally {
            JniUtils.setGradMode(true);
        }
    }

    /// For an operation that differentiates what it makes itself.
    static <T> T recorded(Supplier<T> body) {
        JniUtils.setGradMode(true);
        try {
            return body.get();
        } finally {
            JniUtils.setGradMode(false);
        }
    }

    /// What a segment sees of an input: itself where nothing of it is recorded or it begins a recording.
    private NDArray cut(NDArray input) {
        if (leaf(input)) return input;
        for (Cut cut : stretch.cuts) if (cut.original == input || cut.leaf == input) return cut.leaf;
        if (!kernels.recorded(input)) return input;
        NDArray leaf = keep(JniUtils.detachGradient((PtNDArray) keep(input)));
        leaf.setRequiresGradient(true);
        stretch.cuts.add(new Cut(input, leaf, stretch.entries.size()));
        return leaf;
    }

    private boolean leaf(NDArray array) {
        for (Entry entry : stretch.entries) if (entry.leaf() == array) return true;
        return stretch.inputs.stream().anyMatch(input -> input == array);
    }

    private NDArray keep(NDArray array) {
        NDScope.unregister(array);
        kept.add(array);
        return array;
    }

    /// Differentiates a scalar; gradients are then found at the leaves that the caller made.
    void backward(NDArray scalar, NDArray one) {
        JniUtils.backward((PtNDArray) scalar, (PtNDArray) one, true, false);
        differentiate(stretch);
    }

    private void differentiate(Stretch done) {
        for (int i = done.entries.size() - 1; i >= 0; i--) {
            heap.tidy();
            Entry entry = done.entries.get(i);
            NDArray gradient = gradient(entry.leaf());
            if (gradient != null) {
                try (NDScope scope = new NDScope()) {
                    switch (entry) {
                        case Segment segment -> differentiate(segment, gradient);
                        case Owned owned -> differentiate(owned, gradient);
                    }
                } finally {
                    gradient.close();                                           // nobody before this entry needs any of these
                    entry.leaf().close();
                }
            }
            int index = i;
            done.cuts.reversed().stream().filter(cut -> cut.first == index).forEach(Tape::pass);    // the last may lead to an earlier one
        }
    }

    private void differentiate(Segment segment, NDArray gradient) {
        if (segment.recorded != null) {
            JniUtils.backward((PtNDArray) segment.recorded, (PtNDArray) gradient, false, false);
            if (!leaf(segment.recorded)) segment.recorded.close();
            return;
        }
        Again done = again(segment);
        again = null;
        Stretch outer = stretch;
        stretch = done.stretch;
        within = true;
        try {
            JniUtils.backward((PtNDArray) done.output, (PtNDArray) gradient, false, false);
            differentiate(stretch);
        } finally {
            within = false;
            stretch = outer;
        }
        done.output.close();
    }

    /// The segment computed again, recorded; once for itself and for what comes right behind it and needs its output.
    private Again again(Segment segment) {
        if (again != null && again.segment == segment) return again;
        Stretch outer = stretch;
        Stretch inner = new Stretch(segment.inputs);
        boolean outside = within;
        stretch = inner;
        within = true;
        try {
            NDArray output = scoped(() -> segment.body.apply(segment.inputs));
            return again = new Again(segment, keep(output), inner);
        } finally {
            within = outside;
            stretch = outer;
        }
    }

    private void differentiate(Owned owned, NDArray gradient) {
        NDArray input = owned.source == null ? owned.input : again(owned.source).output;
        JniUtils.setGradMode(false);
        try {
            Gradients gradients = owned.operation.gradients(input, gradient, kernels.recorded(owned.input));
            if (gradients.input != null) JniUtils.backward((PtNDArray) owned.input, (PtNDArray) gradients.input, true, false);
            for (Part part : gradients.trained) JniUtils.backward((PtNDArray) part.recorded, (PtNDArray) part.gradient, true, false);
        } finally {
            JniUtils.setGradMode(true);
        }
    }

    /// Every segment that a cut goes into is done: what it gathered goes on. Kept, since other cuts may lead through the same.
    private static void pass(Cut cut) {
        NDArray gradient = gradient(cut.leaf);
        if (gradient != null) {
            JniUtils.backward((PtNDArray) cut.original, (PtNDArray) gradient, true, false);
            gradient.close();
        }
        cut.leaf.close();
        cut.original.close();
    }

    private static @Nullable NDArray gradient(NDArray leaf) {
        return JniUtils.getGradient((PtNDArray) leaf);
    }

    /// Frees what is computed in between, not the result.
    static NDArray scoped(Supplier<NDArray> body) {
        NDArray result;
        try (NDScope scope = new NDScope()) {
            result = body.get();
            NDScope.unregister(result);
        }
        NDScope.register(result);
        return result;
    }

    @Override public void close() {
        kept.forEach(NDArray::close);
    }
}

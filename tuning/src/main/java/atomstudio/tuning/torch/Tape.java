package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A step in segments. Recording is cut at each segment's inputs and output, so that a segment can be differentiated
/// by itself, last to first. One that is recomputed (gradient checkpointing) is run without recording and keeps its
/// inputs alone; when its gradient is asked for it is run again, recorded. What lies between segments is recorded as
/// ever.
/// Source: Chen, Xu, Zhang, Guestrin 2016, "Training Deep Nets with Sublinear Memory Cost".
final class Tape implements AutoCloseable {
    /// Where recording is cut: `leaf` stands for `original` in every segment from the `first` on that it goes into.
    private record DetachPoint(NDArray original, NDArray leaf, int firstEntry) {}

    private sealed interface TapeEntry {
        /// What the gradient by the output is gathered at: the output itself, or, so that nothing of it is held, a
        /// zero that was added to it.
        NDArray leaf();
    }

    /// `recorded` is what the segment gives itself, where its recording was kept; `output` is what was made of it.
    private record CheckpointSegment(List<NDArray> inputs, Function<List<NDArray>, NDArray> body,
            @Nullable NDArray recorded, NDArray leaf, NDArray output) implements TapeEntry {}

    /// Where the input came straight from a segment that is computed again, so is it, and `input` gathers its
    /// gradient alone.
    private record CustomCall(NDArray input, @Nullable CheckpointSegment source, CustomFunction function, NDArray leaf)
            implements TapeEntry {}

    /// An operation that computes its gradients itself: nothing of it is recorded.
    interface CustomFunction {
        NDArray forward(NDArray input);

        /// Whether it has trained numbers; it has, where they are kept.
        default boolean isTrainable() { return !savedTensors().isEmpty(); }

        /// What it needs until its gradients are asked for, beside its input, and the segment that made it would free.
        List<NDArray> savedTensors();

        /// By the input, if asked for, and by what is trained, of the output's gradient. Not recorded.
        FunctionGradients backward(NDArray input, NDArray gradient, boolean needsInputGradient);
    }

    record FunctionGradients(@Nullable NDArray input, List<TensorGradient> trainable) {
        FunctionGradients {
            trainable = List.copyOf(trainable);
        }
    }

    /// The gradient by something that is recorded.
    record TensorGradient(NDArray tensor, NDArray gradient) {}

    /// What is differentiated together: a step, or a segment that is computed again, whose inputs gather their
    /// gradients for what lies before it.
    private record Subgraph(List<NDArray> inputs, List<TapeEntry> entries, List<DetachPoint> cuts) {
        Subgraph(List<NDArray> inputs) {
            this(inputs, new ArrayList<>(), new ArrayList<>());
        }
    }

    private record Recomputation(CheckpointSegment segment, NDArray output, Subgraph subgraph) {}

    private final TorchKernels kernels;
    private final NativeHeap heap;
    private final Checkpointing checkpointing;
    private Subgraph current = new Subgraph(List.of());
    /// What outlives the segment that it was made in.
    private final List<NDArray> retained = new ArrayList<>();
    private @Nullable Recomputation recomputation;
    private boolean usesTrainable;
    private boolean insideRecomputed;
    private boolean noGrad;

    Tape(TorchKernels kernels, NativeHeap heap, Checkpointing checkpointing) {
        this.kernels = kernels;
        this.heap = heap;
        this.checkpointing = checkpointing;
    }

    /// To be called wherever trained numbers are used: only a segment that does so, or has a recorded input, has
    /// gradients to give.
    void markTrainableUse() {
        usesTrainable = true;
    }

    NDArray run(String name, List<NDArray> inputs, Function<List<NDArray>, NDArray> body) {
        heap.trimIfNeeded();
        if (insideRecomputed) return scoped(() -> body.apply(inputs)); // part of a segment that is recomputed as a whole
        List<NDArray> leaves = inputs.stream().map(this::detach).toList();
        boolean previousTrainable = usesTrainable;
        usesTrainable = leaves.stream().anyMatch(kernels::requiresGrad);
        boolean recompute = checkpointing.recomputes(name, DjlShapes.shape(inputs.getFirst()));
        NDArray output = recompute ? noGrad(leaves, body) : scoped(() -> body.apply(leaves));
        boolean innerTrainable = usesTrainable;
        usesTrainable = previousTrainable || innerTrainable;
        if (!innerTrainable) return output;
        if (recompute) {
            NDArray zero = trackedZero(output), sum = kernels.addInPlace(output, zero);
            current.entries.add(new CheckpointSegment(leaves, body, null, zero, sum));
            return sum;
        }
        NDArray leaf = retain(JniUtils.detachGradient((PtNDArray) retain(output)));
        leaf.setRequiresGradient(true);
        current.entries.add(new CheckpointSegment(leaves, body, output, leaf, leaf));
        return leaf;
    }

    private NDArray trackedZero(NDArray like) {
        NDArray zero = retain(kernels.expandedZero(like));
        zero.setRequiresGradient(true);
        return zero;
    }

    private NDArray noGrad(List<NDArray> leaves, Function<List<NDArray>, NDArray> body) {
        insideRecomputed = true;
        noGrad = true;
        try {
            return noGrad(() -> body.apply(leaves));
        } finally {
            insideRecomputed = false;
            noGrad = false;
        }
    }

    /// Runs an operation that has its own gradients; recording is cut at its input and its output.
    NDArray run(NDArray input, CustomFunction function) {
        heap.trimIfNeeded();
        if (noGrad || !function.isTrainable() && !kernels.requiresGrad(input))
            return scoped(() -> function.forward(input));
        CheckpointSegment source = source(input);
        NDArray leaf = source == null ? detach(input) : source.leaf;
        if (leaf == input) retain(input); // its segment would free it
        function.savedTensors().forEach(this::retain);
        NDArray output = noGrad(() -> function.forward(input));
        NDArray zero = trackedZero(output);
        current.entries.add(new CustomCall(leaf, source, function, zero));
        return kernels.addInPlace(output, zero);
    }

    /// The segment that gave an input and is so quick that it may be computed again for this alone.
    private @Nullable CheckpointSegment source(NDArray input) {
        if (checkpointing != Checkpointing.SELECTIVE || current.entries.isEmpty()) return null;
        return current.entries.getLast() instanceof CheckpointSegment segment && segment.recorded == null
                && segment.output == input ? segment : null;
    }

    private static NDArray noGrad(Supplier<NDArray> body) {
        JniUtils.setGradMode(false);
        try {
            return scoped(body);
        } finally {
            JniUtils.setGradMode(true);
        }
    }

    /// For an operation that differentiates what it makes itself.
    static <T> T enableGrad(Supplier<T> body) {
        JniUtils.setGradMode(true);
        try {
            return body.get();
        } finally {
            JniUtils.setGradMode(false);
        }
    }

    /// What a segment sees of an input: itself where nothing of it is recorded or it begins a recording.
    private NDArray detach(NDArray input) {
        if (isLeaf(input)) return input;
        for (DetachPoint cut : current.cuts) if (cut.original == input || cut.leaf == input) return cut.leaf;
        if (!kernels.requiresGrad(input)) return input;
        NDArray leaf = retain(JniUtils.detachGradient((PtNDArray) retain(input)));
        leaf.setRequiresGradient(true);
        current.cuts.add(new DetachPoint(input, leaf, current.entries.size()));
        return leaf;
    }

    private boolean isLeaf(NDArray array) {
        for (TapeEntry entry : current.entries) if (entry.leaf() == array) return true;
        return current.inputs.stream().anyMatch(input -> input == array);
    }

    private NDArray retain(NDArray array) {
        NDScope.unregister(array);
        retained.add(array);
        return array;
    }

    /// Differentiates a scalar; gradients are then found at the leaves that the caller made.
    void backward(NDArray scalar, NDArray one) {
        JniUtils.backward((PtNDArray) scalar, (PtNDArray) one, true, false);
        differentiate(current);
    }

    private void differentiate(Subgraph finished) {
        for (int i = finished.entries.size() - 1; i >= 0; i--) {
            heap.trimIfNeeded();
            TapeEntry entry = finished.entries.get(i);
            NDArray gradient = gradient(entry.leaf());
            if (gradient != null) {
                try (NDScope scope = new NDScope()) {
                    switch (entry) {
                        case CheckpointSegment segment -> differentiate(segment, gradient);
                        case CustomCall call -> differentiate(call, gradient);
                    }
                } finally {
                    gradient.close(); // nobody before this entry needs any of these
                    entry.leaf().close();
                }
            }
            int index = i;
            finished.cuts.reversed().stream().filter(cut -> cut.firstEntry == index).forEach(Tape::propagate); // the last may lead to an earlier one
        }
    }

    private void differentiate(CheckpointSegment segment, NDArray gradient) {
        if (segment.recorded != null) {
            JniUtils.backward((PtNDArray) segment.recorded, (PtNDArray) gradient, false, false);
            if (!isLeaf(segment.recorded)) segment.recorded.close();
            return;
        }
        Recomputation finished = recomputation(segment);
        recomputation = null;
        Subgraph outerSubgraph = current;
        current = finished.subgraph;
        insideRecomputed = true;
        try {
            JniUtils.backward((PtNDArray) finished.output, (PtNDArray) gradient, false, false);
            differentiate(current);
        } finally {
            insideRecomputed = false;
            current = outerSubgraph;
        }
        finished.output.close();
    }

    /// The segment computed again, recorded; once for itself and for what comes right behind it and needs its output.
    private Recomputation recomputation(CheckpointSegment segment) {
        if (recomputation != null && recomputation.segment == segment) return recomputation;
        Subgraph outerSubgraph = current;
        Subgraph innerSubgraph = new Subgraph(segment.inputs);
        boolean wasInside = insideRecomputed;
        current = innerSubgraph;
        insideRecomputed = true;
        try {
            NDArray output = scoped(() -> segment.body.apply(segment.inputs));
            return recomputation = new Recomputation(segment, retain(output), innerSubgraph);
        } finally {
            insideRecomputed = wasInside;
            current = outerSubgraph;
        }
    }

    private void differentiate(CustomCall call, NDArray gradient) {
        NDArray input = call.source == null ? call.input : recomputation(call.source).output;
        JniUtils.setGradMode(false);
        try {
            FunctionGradients gradients = call.function.backward(input, gradient, kernels.requiresGrad(call.input));
            if (gradients.input != null)
                JniUtils.backward((PtNDArray) call.input, (PtNDArray) gradients.input, true, false);
            for (TensorGradient part : gradients.trainable)
                JniUtils.backward((PtNDArray) part.tensor, (PtNDArray) part.gradient, true, false);
        } finally {
            JniUtils.setGradMode(true);
        }
    }

    /// Every segment that a cut goes into is done: what it gathered goes on. Kept, since other cuts may lead through
    /// the same.
    private static void propagate(DetachPoint point) {
        NDArray gradient = gradient(point.leaf);
        if (gradient != null) {
            JniUtils.backward((PtNDArray) point.original, (PtNDArray) gradient, true, false);
            gradient.close();
        }
        point.leaf.close();
        point.original.close();
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

    @Override
    public void close() {
        retained.forEach(NDArray::close);
    }
}

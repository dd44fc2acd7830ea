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

/// Gradient checkpointing of one step. Autograd's graph is detached at each segment's inputs and output, so that
/// segments are differentiated one at a time, last to first. A recomputed segment runs without recording and saves only
/// its inputs; in the backward pass it runs again, recorded. Operations between segments are recorded normally.
/// Source: Chen, Xu, Zhang, Guestrin 2016, "Training Deep Nets with Sublinear Memory Cost".
final class Tape implements AutoCloseable {
    /// Where the graph is detached: `leaf` replaces `original` as an input of segments from `firstEntry` on.
    private record DetachPoint(NDArray original, NDArray leaf, int firstEntry) {}

    private sealed interface TapeEntry {
        /// The leaf that accumulates the gradient of the output: the output itself, or a zero that was added to it, so
        /// that the output is not held.
        NDArray leaf();
    }

    /// @param recorded the segment's own output, if it was recorded
    /// @param output   as returned to the caller
    private record CheckpointSegment(List<NDArray> inputs, Function<List<NDArray>, NDArray> body,
            @Nullable NDArray recorded, NDArray leaf, NDArray output) implements TapeEntry {}

    /// @param source the recomputed segment that returned the input; then the input is recomputed too, and `input` only
    ///     accumulates its gradient
    private record CustomCall(NDArray input, @Nullable CheckpointSegment source, CustomFunction function, NDArray leaf)
            implements TapeEntry {}

    /// What is differentiated together: the step, or a recomputed segment, whose inputs accumulate gradients for the
    /// entries before it.
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
    /// Arrays that outlive the segment that they were made in.
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

    /// To be called wherever parameters are used: only a segment that uses some, or has a recorded input, is
    /// differentiated.
    void markTrainableUse() {
        usesTrainable = true;
    }

    NDArray run(String name, List<NDArray> inputs, Function<List<NDArray>, NDArray> body) {
        heap.trimIfNeeded();
        if (insideRecomputed) return scoped(() -> body.apply(inputs)); // recomputed with the outer segment
        List<NDArray> leaves = inputs.stream().map(this::detach).toList();
        boolean previousTrainable = usesTrainable;
        usesTrainable = leaves.stream().anyMatch(kernels::requiresGrad);
        boolean recompute = checkpointing.recomputes(name, DjlShapes.shape(inputs.getFirst()));
        NDArray output = recompute ? noGrad(leaves, body) : scoped(() -> body.apply(leaves));
        boolean innerTrainable = usesTrainable;
        usesTrainable = previousTrainable || innerTrainable;
        if (!innerTrainable) return output;
        if (recompute) {
            NDArray zero = trackedZero(output), sum = kernels.call("add_in_place", output, zero);
            current.entries.add(new CheckpointSegment(leaves, body, null, zero, sum));
            return sum;
        }
        NDArray leaf = retain(JniUtils.detachGradient((PtNDArray) retain(output)));
        leaf.setRequiresGradient(true);
        current.entries.add(new CheckpointSegment(leaves, body, output, leaf, leaf));
        return leaf;
    }

    private NDArray trackedZero(NDArray like) {
        NDArray zero = retain(kernels.call("expanded_zero", like));
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

    /// Runs a custom function; the graph is detached at its input and output.
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
        return kernels.call("add_in_place", output, zero);
    }

    /// The segment that returned an input, if it is cheap enough to be recomputed only for this.
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

    /// For a custom function that uses autograd in its backward pass.
    static <T> T enableGrad(Supplier<T> body) {
        JniUtils.setGradMode(true);
        try {
            return body.get();
        } finally {
            JniUtils.setGradMode(false);
        }
    }

    /// The input of a segment: the array itself if it is not recorded or already a leaf, else a detached leaf.
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

    /// Differentiates a scalar; gradients accumulate at the caller's leaves.
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
                    gradient.close(); // earlier entries do not need these
                    entry.leaf().close();
                }
            }
            int index = i;
            List<DetachPoint> cuts = finished.cuts.reversed(); // a later one may lead to an earlier one
            cuts.stream().filter(cut -> cut.firstEntry == index).forEach(Tape::propagate);
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
            // Detach points within the segment may share its graph, so it is retained for them.
            boolean retainGraph = !current.cuts.isEmpty();
            JniUtils.backward((PtNDArray) finished.output, (PtNDArray) gradient, retainGraph, false);
            differentiate(current);
        } finally {
            insideRecomputed = false;
            current = outerSubgraph;
        }
        finished.output.close();
    }

    /// The recomputed, recorded segment; shared with the entry after it if that needs the output.
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
            CustomFunction.Gradients gradients = call.function.backward(input, gradient,
                    kernels.requiresGrad(call.input));
            if (gradients.input() != null)
                JniUtils.backward((PtNDArray) call.input, (PtNDArray) gradients.input(), true, false);
            for (CustomFunction.TensorGradient part : gradients.trainable())
                JniUtils.backward((PtNDArray) part.tensor(), (PtNDArray) part.gradient(), true, false);
        } finally {
            JniUtils.setGradMode(true);
        }
    }

    /// All segments with this input are differentiated: passes the accumulated gradient on. The graph is retained,
    /// since other detach points may share it.
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

    /// Frees intermediate arrays, not the result.
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

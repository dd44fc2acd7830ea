package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A step in segments. Recording is cut at each segment's inputs and output, so that a segment can be differentiated by itself, last to
/// first. One that is recomputed (gradient checkpointing) is run without recording and keeps its inputs alone; when its gradient is asked
/// for it is run again, recorded. What lies between segments is recorded as ever.
/// Source: Chen, Xu, Zhang, Guestrin 2016, "Training Deep Nets with Sublinear Memory Cost".
final class Tape implements AutoCloseable {
    /// Where recording is cut: `leaf` stands for `original` in every segment from the `first` on that it goes into.
    private record Cut(NDArray original, NDArray leaf, int first) {}

    /// `leaf` stands for what the segment gives; `recorded` is that itself where its recording was kept.
    private record Entry(List<NDArray> inputs, Function<List<NDArray>, NDArray> body, @Nullable NDArray recorded, NDArray leaf) {}

    private final Kernels kernels;
    private final Predicate<String> recomputed;
    private final List<Entry> entries = new ArrayList<>();
    private final List<Cut> cuts = new ArrayList<>();
    /// What outlives the segment that it was made in.
    private final List<NDArray> kept = new ArrayList<>();
    private boolean trained;
    private boolean within;

    /// @param recomputed whether the segment of a name is run again
    Tape(Kernels kernels, Predicate<String> recomputed) {
        this.kernels = kernels;
        this.recomputed = recomputed;
    }

    /// To be called wherever trained numbers are used: only a segment that does so, or has a recorded input, has gradients to give.
    void usesTrained() {
        trained = true;
    }

    NDArray run(String name, List<NDArray> inputs, Function<List<NDArray>, NDArray> body) {
        if (within) return scoped(() -> body.apply(inputs));                    // part of a segment that is recomputed as a whole
        List<NDArray> leaves = inputs.stream().map(this::cut).toList();
        boolean outside = trained;
        trained = leaves.stream().anyMatch(kernels::recorded);
        boolean again = recomputed.test(name);
        NDArray output = again ? unrecorded(leaves, body) : scoped(() -> body.apply(leaves));
        boolean mine = trained;
        trained = outside || mine;
        if (!mine) return output;
        NDArray leaf = again ? keep(output) : keep(JniUtils.detachGradient((PtNDArray) keep(output)));
        leaf.setRequiresGradient(true);
        entries.add(new Entry(leaves, body, again ? null : output, leaf));
        return leaf;
    }

    private NDArray unrecorded(List<NDArray> leaves, Function<List<NDArray>, NDArray> body) {
        JniUtils.setGradMode(false);
        within = true;
        try {
            return scoped(() -> body.apply(leaves));
        } finally {
            within = false;
            JniUtils.setGradMode(true);
        }
    }

    /// What a segment sees of an input: itself where nothing of it is recorded or it begins a recording.
    private NDArray cut(NDArray input) {
        for (Entry entry : entries) if (entry.leaf == input) return input;
        for (Cut cut : cuts) if (cut.original == input || cut.leaf == input) return cut.leaf;
        if (!kernels.recorded(input)) return input;
        NDArray leaf = keep(JniUtils.detachGradient((PtNDArray) keep(input)));
        leaf.setRequiresGradient(true);
        cuts.add(new Cut(input, leaf, entries.size()));
        return leaf;
    }

    private NDArray keep(NDArray array) {
        NDScope.unregister(array);
        kept.add(array);
        return array;
    }

    /// Differentiates a scalar; gradients are then found at the leaves that the caller made.
    void backward(NDArray scalar, NDArray one) {
        JniUtils.backward((PtNDArray) scalar, (PtNDArray) one, true, false);
        for (int i = entries.size() - 1; i >= 0; i--) {
            differentiate(entries.get(i));
            int index = i;
            cuts.stream().filter(cut -> cut.first == index).forEach(Tape::pass);
        }
    }

    private void differentiate(Entry entry) {
        NDArray gradient = gradient(entry.leaf);
        if (gradient == null) return;
        within = true;
        try (NDScope scope = new NDScope()) {
            NDArray output = entry.recorded == null ? entry.body.apply(entry.inputs) : entry.recorded;
            JniUtils.backward((PtNDArray) output, (PtNDArray) gradient, false, false);
        } finally {
            within = false;
            gradient.close();                                                   // nobody before this segment needs any of these
            entry.leaf.close();
            if (entry.recorded != null) entry.recorded.close();
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

package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Gradient checkpointing: a segment is computed without recording and keeps its inputs alone; when its gradient is asked for it is
/// computed again, recorded, and differentiated. What lies between segments is recorded as ever. One forward and one backward pass.
/// Source: Chen, Xu, Zhang, Guestrin 2016, "Training Deep Nets with Sublinear Memory Cost".
final class Tape {
    /// Where recording is cut: `leaf` stands for `original` in every segment from the `first` on that it goes into.
    private record Cut(NDArray original, NDArray leaf, int first) {}

    private record Entry(List<NDArray> inputs, Function<List<NDArray>, NDArray> body, NDArray output) {}

    private final Kernels kernels;
    private final List<Entry> entries = new ArrayList<>();
    private final List<Cut> cuts = new ArrayList<>();
    private boolean trained;

    Tape(Kernels kernels) {
        this.kernels = kernels;
    }

    /// To be called wherever trained numbers are used: only a segment that does so, or has a recorded input, has gradients to give.
    void usesTrained() {
        trained = true;
    }

    NDArray run(List<NDArray> inputs, Function<List<NDArray>, NDArray> body) {
        List<NDArray> leaves = inputs.stream().map(this::cut).toList();
        trained = leaves.stream().anyMatch(kernels::recorded);
        JniUtils.setGradMode(false);
        NDArray output;
        try {
            output = scoped(() -> body.apply(leaves));
        } finally {
            JniUtils.setGradMode(true);
        }
        if (!trained) return output;
        output.setRequiresGradient(true);
        entries.add(new Entry(leaves, body, output));
        return output;
    }

    /// What a segment sees of an input: itself where nothing of it is recorded or it begins a recording.
    private NDArray cut(NDArray input) {
        for (Entry entry : entries) if (entry.output == input) return input;
        for (Cut cut : cuts) if (cut.original == input) return cut.leaf;
        if (!kernels.recorded(input)) return input;
        NDArray leaf = JniUtils.detachGradient((PtNDArray) input);
        leaf.setRequiresGradient(true);
        cuts.add(new Cut(input, leaf, entries.size()));
        return leaf;
    }

    /// Differentiates a scalar; gradients are then found at the leaves that the caller made.
    void backward(NDArray scalar, NDArray one) {
        JniUtils.backward((PtNDArray) scalar, (PtNDArray) one, true, false);
        for (int i = entries.size() - 1; i >= 0; i--) {
            Entry entry = entries.get(i);
            NDArray gradient = gradient(entry.output);
            if (gradient != null) {
                try (NDScope scope = new NDScope()) {
                    JniUtils.backward((PtNDArray) entry.body.apply(entry.inputs), (PtNDArray) gradient, false, false);
                }
            }
            int index = i;
            cuts.stream().filter(cut -> cut.first == index).forEach(Tape::pass);
        }
    }

    /// Every segment that a cut goes into is done: what it gathered goes on.
    private static void pass(Cut cut) {
        NDArray gradient = gradient(cut.leaf);
        if (gradient != null) JniUtils.backward((PtNDArray) cut.original, (PtNDArray) gradient, true, false);
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
}

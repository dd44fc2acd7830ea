package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.onnx.Graph.Element;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.TensorInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// A checkpoint's layers inside a graph: initializers that point into the user's own files, cast where they are of another type than the graph.
/// Nothing of the model is copied to disk. What cannot be mapped (eight-bit floats, tensors saved out of order) is copied into the graph.
final class GraphWeights implements Layers<Value> {
    private final Graph graph;
    private final Checkpoint checkpoint;
    private final Half half;
    private final Element element;
    private final Map<String, Value> made = new HashMap<>();

    /// How 16-bit weights get into the graph.
    enum Half { INITIALIZERS, INPUTS }

    GraphWeights(Graph graph, Checkpoint checkpoint) {
        this(graph, checkpoint, Half.INITIALIZERS, Element.FLOAT);
    }

    /// @param element that the graph computes in
    GraphWeights(Graph graph, Checkpoint checkpoint, Half half, Element element) {
        this.graph = graph;
        this.checkpoint = checkpoint;
        this.half = half;
        this.element = element;
    }

    /// The one folder that all files lie in once links are followed; the runtime refuses links that leave it.
    static Path folder(Checkpoint checkpoint) throws Failure {
        Path folder = null;
        for (String name : checkpoint.keys()) {
            Path parent = real(checkpoint.file(name)).getParent();
            if (folder != null && !folder.equals(parent)) {
                throw new Failure.Incompatible(checkpoint.path() + ": its weight files lie in different folders (" + folder + ", " + parent + "); put them into one");
            }
            folder = parent;
        }
        if (folder == null) throw new Failure.Unreadable(checkpoint.path() + ": holds no tensors");
        return folder;
    }

    private static Path real(Path file) {
        try {
            return file.toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override public Affine<Value> get(Layer layer) {
        return new Affine<>(tensor(layer.weightKey(), layer.weight()), layer.biased() ? tensor(layer.biasKey(), layer.biasShape()) : null);
    }

    private Value tensor(String key, Shape shape) {
        return made.computeIfAbsent(key, k -> {
            TensorInfo info = checkpoint.info(key);
            if (!info.shape().equals(shape)) throw new IllegalStateException(key + ": expected " + shape + ", found " + info.shape());
            if (!checkpoint.isContiguous(key) || info.dtype().bytes() == 1) return cast(graph.constant(shape, checkpoint.read(key).data()), Element.FLOAT);
            Element as = Element.of(info.dtype());
            if (half == Half.INPUTS && (as == Element.FLOAT16 || as == Element.BFLOAT16)) return cast(graph.input(key, shape, as), as);
            Value stored = graph.external(key, shape, as, new Graph.Place(real(checkpoint.file(key)).getFileName().toString(), info.offset(), info.bytes()));
            return cast(stored, as);
        });
    }

    private Value cast(Value stored, Element as) {
        return as == element ? stored : graph.cast(stored, element);
    }
}

package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.onnx.Graph.Element;
import atomstudio.diffusion.onnx.Graph.Operator;
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

/// A checkpoint's layers inside a graph: initializers that point into the user's own safetensors, cast where they are not float32.
/// Nothing of the model is copied to disk.
final class GraphWeights implements Layers<Value> {
    private final Graph graph;
    private final Checkpoint checkpoint;
    private final Half half;
    private final Map<String, Value> made = new HashMap<>();

    /// How 16-bit weights get into the graph.
    enum Half { INITIALIZERS, INPUTS }

    GraphWeights(Graph graph, Checkpoint checkpoint) {
        this(graph, checkpoint, Half.INITIALIZERS);
    }

    GraphWeights(Graph graph, Checkpoint checkpoint, Half half) {
        this.graph = graph;
        this.checkpoint = checkpoint;
        this.half = half;
    }

    /// The one folder that all files lie in once links are followed; the runtime refuses links that leave it.
    static Path folder(Checkpoint checkpoint) throws Failure {
        Path folder = null;
        for (String name : checkpoint.names()) {
            Path parent = real(checkpoint.file(name)).getParent();
            if (folder != null && !folder.equals(parent)) {
                throw new Failure.Incompatible(checkpoint.folder() + ": its weight files lie in different folders (" + folder + ", " + parent + "); put them into one");
            }
            folder = parent;
        }
        if (folder == null) throw new Failure.Unreadable(checkpoint.folder() + ": holds no tensors");
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
            Element element = Element.of(info.dtype());
            if (half == Half.INPUTS && (element == Element.FLOAT16 || element == Element.BFLOAT16)) return widened(shape, graph.input(key, shape, element));
            Value stored = graph.external(key, shape, element, Map.of("location", real(checkpoint.file(key)).getFileName().toString(),
                    "offset", Long.toString(info.offset()), "length", Long.toString(info.bytes())));
            return element == Element.FLOAT ? stored : widened(shape, stored);
        });
    }

    private Value widened(Shape shape, Value stored) {
        return graph.node(Operator.of("Cast", Map.of("to", (long) Element.FLOAT.number)), shape, stored);
    }
}

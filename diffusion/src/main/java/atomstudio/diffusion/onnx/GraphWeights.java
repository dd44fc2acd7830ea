package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.TensorInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// A checkpoint's layers as external initializers that reference the user's files, cast if their type differs from the
/// graph's. Nothing is copied to disk. Tensors that cannot be mapped (8-bit floats, non-contiguous tensors) are copied
/// into the graph.
final class GraphWeights implements WeightSource<Graph.Value> {
    private final Graph graph;
    private final Checkpoint checkpoint;
    private final HalfWeightsMode halfMode;
    private final ElementType elementType;
    private final Map<String, Graph.Value> values = new HashMap<>();

    /// How 16-bit weights enter the graph.
    enum HalfWeightsMode { INITIALIZERS, INPUTS }

    GraphWeights(Graph graph, Checkpoint checkpoint) {
        this(graph, checkpoint, HalfWeightsMode.INITIALIZERS, ElementType.FLOAT);
    }

    /// @param elementType in which the graph computes
    GraphWeights(Graph graph, Checkpoint checkpoint, HalfWeightsMode halfMode, ElementType elementType) {
        this.graph = graph;
        this.checkpoint = checkpoint;
        this.halfMode = halfMode;
        this.elementType = elementType;
    }

    /// The folder of all weight files, with links resolved, since the runtime rejects links out of the folder.
    static Path commonFolder(Checkpoint checkpoint) throws Failure {
        Path folder = null;
        for (String name : checkpoint.keys()) {
            Path parent = realPath(checkpoint.file(name)).getParent();
            if (folder != null && !folder.equals(parent)) {
                throw new Failure.Incompatible(checkpoint.path() + ": its weight files are in different folders ("
                        + folder + ", " + parent + "); move them into one");
            }
            folder = parent;
        }
        if (folder == null) throw new Failure.Unreadable(checkpoint.path() + ": contains no tensors");
        return folder;
    }

    private static Path realPath(Path file) {
        try {
            return file.toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public LayerWeights<Graph.Value> get(Layer layer) {
        return new LayerWeights<>(tensor(layer.weightKey(), layer.weightShape()),
                layer.hasBias() ? tensor(layer.biasKey(), layer.biasShape()) : null);
    }

    private Graph.Value tensor(String key, Shape shape) {
        return values.computeIfAbsent(key, k -> {
            TensorInfo info = checkpoint.info(key);
            if (!info.shape().equals(shape))
                throw new IllegalStateException(key + ": expected " + shape + ", found " + info.shape());
            if (!checkpoint.isContiguous(key) || info.dtype().bytes() == 1)
                return cast(graph.constant(shape, checkpoint.read(key).data()), ElementType.FLOAT);
            ElementType storedType = ElementType.of(info.dtype());
            if (halfMode == HalfWeightsMode.INPUTS
                    && (storedType == ElementType.FLOAT16 || storedType == ElementType.BFLOAT16))
                return cast(graph.input(key, shape, storedType), storedType);
            Graph.Value stored = graph.externalInitializer(key, shape, storedType, new Graph.ExternalData(
                    realPath(checkpoint.file(key)).getFileName().toString(), info.offset(), info.byteLength()));
            return cast(stored, storedType);
        });
    }

    private Graph.Value cast(Graph.Value stored, ElementType storedType) {
        return storedType == elementType ? stored : graph.cast(stored, elementType);
    }
}

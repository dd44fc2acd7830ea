package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.NetworkFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import java.util.function.Function;

/// A network file that is open on ONNX Runtime, outside an engine's three networks. Graphs are written for each input
/// shape when first used. On the CPU if the device is one of an execution provider: to compile them would take longer
/// than their few runs. Not thread-safe; owns its sessions and mapped weights.
final class OnnxNetworkFile implements AutoCloseable {
    private static final int MAX_SESSIONS = 2;

    private final Checkpoint checkpoint;
    private final SessionCache<Shape> sessions;

    /// Maps and checks the weights.
    /// @param graph the network for an input shape
    /// @throws Failure.Incompatible if tensors are missing or of another shape
    OnnxNetworkFile(NetworkFile<?> file, OnnxRuntime runtime, OnnxSettings settings,
            Function<Shape, OnnxRuntime.Network> graph) throws Failure {
        this(file.open(), runtime, settings, graph);
    }

    /// @param checkpoint owned from now on
    OnnxNetworkFile(Checkpoint checkpoint, OnnxRuntime runtime, OnnxSettings settings,
            Function<Shape, OnnxRuntime.Network> graph) {
        this.checkpoint = checkpoint;
        this.sessions = new SessionCache<>(MAX_SESSIONS,
                shape -> runtime.withoutProvider().createSession(checkpoint, settings, graph.apply(shape)));
    }

    /// Runs a network with one input of this name.
    Tensor run(String name, Tensor input) throws Failure {
        return run(input.shape(), Map.of(name, OnnxSession.Feed.of(input)));
    }

    Tensor run(Shape shape, Map<String, OnnxSession.Feed> feeds) throws Failure {
        return sessions.get(shape).run(feeds, Map.of());
    }

    @Override
    public void close() {
        sessions.close();
        checkpoint.close();
    }
}

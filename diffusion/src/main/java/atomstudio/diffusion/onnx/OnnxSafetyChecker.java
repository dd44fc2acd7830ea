package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.SafetyChecker;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Asks a model's safety checker about pictures. One thread at a time; owns its session, made at the first picture,
/// and the map of the weights.
public final class OnnxSafetyChecker implements AutoCloseable {
    private final SafetyChecker checker;
    private final Checkpoint weights;
    private final OnnxRuntime runtime;
    private @Nullable OnnxSession session;

    private OnnxSafetyChecker(SafetyChecker checker, Checkpoint weights, OnnxRuntime runtime) {
        this.checker = checker;
        this.weights = weights;
        this.runtime = runtime;
    }

    /// @throws Failure.Incompatible when tensors are missing or of another shape
    public static OnnxSafetyChecker open(SafetyChecker checker, Device device, int threads) throws Failure {
        OnnxRuntime runtime = OnnxRuntime.open(device, threads);
        return new OnnxSafetyChecker(checker, checker.imageEncoder().openCheckpoint(), runtime);
    }

    /// Whether a picture should not be shown.
    public boolean isUnsafe(RgbImage image) throws Failure {
        return isUnsafe(checker.imageEncoder().processor().preprocess(image));
    }

    /// The same of a prepared picture (1,3,S,S).
    boolean isUnsafe(Tensor prepared) throws Failure {
        OnnxSession current = session != null ? session : build(prepared.shape());
        return checker.isUnsafe(current.run(Map.of("pictures", OnnxSession.Feed.of(prepared)), Map.of()).data());
    }

    private OnnxSession build(Shape shape) throws Failure {
        Graph graph = new Graph();
        Graph.Value output = checker.imageEncoder()
                .network()
                .embed(new GraphOps(graph), new GraphWeights(graph, weights),
                        graph.input("pictures", shape, Graph.ElementType.FLOAT));
        OnnxSession built = runtime.createSession(graph.model(output), OnnxSession.SessionWeights.of(weights),
                output.shape());
        session = built;
        return built;
    }

    @Override
    public void close() {
        if (session != null) session.close();
        session = null;
        weights.close();
    }
}

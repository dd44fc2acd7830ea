package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.SafetyChecker;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Asks a model's safety checker about pictures. One thread at a time; owns its session, made at the first picture, and the map of the weights.
public final class OnnxSafety implements AutoCloseable {
    private final SafetyChecker checker;
    private final Checkpoint weights;
    private final Runtime runtime;
    private @Nullable Session session;

    private OnnxSafety(SafetyChecker checker, Checkpoint weights, Runtime runtime) {
        this.checker = checker;
        this.weights = weights;
        this.runtime = runtime;
    }

    /// @throws Failure.Incompatible when tensors are missing or of another shape
    public static OnnxSafety open(SafetyChecker checker, Device device, int threads) throws Failure {
        Runtime runtime = Runtime.open(device, threads);
        return new OnnxSafety(checker, checker.imageEncoder().openCheckpoint(), runtime);
    }

    /// Whether a picture should not be shown.
    public boolean unsafe(Picture picture) throws Failure {
        return unsafe(checker.imageEncoder().processor().preprocess(picture));
    }

    /// The same of a prepared picture (1,3,S,S).
    boolean unsafe(Tensor prepared) throws Failure {
        Session ready = session != null ? session : build(prepared.shape());
        return checker.isUnsafe(ready.run(Map.of("pictures", Feed.of(prepared)), Map.of()).data());
    }

    private Session build(Shape shape) throws Failure {
        Graph graph = new Graph();
        Value output = checker.imageEncoder().network().embed(new GraphOps(graph), new GraphWeights(graph, weights), graph.input("pictures", shape, Graph.Element.FLOAT));
        Session built = runtime.session(graph.model(output), Session.Weights.of(weights), output.shape());
        session = built;
        return built;
    }

    @Override public void close() {
        if (session != null) session.close();
        session = null;
        weights.close();
    }
}

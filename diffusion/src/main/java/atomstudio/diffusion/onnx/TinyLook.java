package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.LatentPreviewer;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.TinyAutoencoder;
import atomstudio.diffusion.net.TaesdDecoder;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Looks through a decoder for previews (TAESD). Owns its session and the map of its weights.
public final class TinyLook implements LatentPreviewer, AutoCloseable {
    private final TaesdDecoder decoder;
    private final Checkpoint weights;
    private final Runtime runtime;
    private @Nullable Session session;
    private @Nullable Shape size;

    private TinyLook(TaesdDecoder decoder, Checkpoint weights, Runtime runtime) {
        this.decoder = decoder;
        this.weights = weights;
        this.runtime = runtime;
    }

    /// @throws Failure.Incompatible when tensors are missing or of another shape
    public static TinyLook open(TinyAutoencoder tiny, Device device, int threads) throws Failure {
        Runtime runtime = Runtime.open(device, threads);
        return new TinyLook(tiny.decoder(), tiny.openCheckpoint(), runtime);
    }

    @Override public Picture preview(Tensor clean) throws Failure {
        return Picture.of(decode(clean));
    }

    /// (1,3,8h,8w), about -1..1.
    Tensor decode(Tensor clean) throws Failure {
        Session ready = session != null && clean.shape().equals(size) ? session : build(clean.shape());
        return ready.run(Map.of("latents", Feed.of(clean)), Map.of());
    }

    private Session build(Shape shape) throws Failure {
        if (session != null) session.close();
        Graph graph = new Graph();
        Value output = decoder.decode(new GraphOps(graph), new GraphWeights(graph, weights), graph.input("latents", shape, Graph.Element.FLOAT));
        Session built = runtime.session(graph.model(output), Session.Weights.of(weights), output.shape());
        session = built;
        size = shape;
        return built;
    }

    @Override public void close() {
        if (session != null) session.close();
        session = null;
        weights.close();
    }
}

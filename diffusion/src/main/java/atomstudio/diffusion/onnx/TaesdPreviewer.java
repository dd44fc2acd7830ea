package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.LatentPreviewer;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.TinyAutoencoder;
import atomstudio.diffusion.net.TaesdDecoder;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Looks through a decoder for previews (TAESD). Owns its session and the map of its weights.
public final class TaesdPreviewer implements LatentPreviewer, AutoCloseable {
    private final TaesdDecoder decoder;
    private final Checkpoint weights;
    private final OnnxRuntime runtime;
    private @Nullable OnnxSession session;
    private @Nullable Shape size;

    private TaesdPreviewer(TaesdDecoder decoder, Checkpoint weights, OnnxRuntime runtime) {
        this.decoder = decoder;
        this.weights = weights;
        this.runtime = runtime;
    }

    /// @throws Failure.Incompatible when tensors are missing or of another shape
    public static TaesdPreviewer open(TinyAutoencoder autoencoder, Device device, int threads) throws Failure {
        OnnxRuntime runtime = OnnxRuntime.open(device, threads);
        return new TaesdPreviewer(autoencoder.decoder(), autoencoder.openCheckpoint(), runtime);
    }

    @Override
    public RgbImage preview(Tensor clean) throws Failure {
        return RgbImage.fromTensor(decode(clean));
    }

    /// (1,3,8h,8w), about -1..1.
    Tensor decode(Tensor denoised) throws Failure {
        OnnxSession current = session != null && denoised.shape().equals(size) ? session : build(denoised.shape());
        return current.run(Map.of("latents", OnnxSession.Feed.of(denoised)), Map.of());
    }

    private OnnxSession build(Shape shape) throws Failure {
        if (session != null) session.close();
        Graph graph = new Graph();
        Graph.Value output = decoder.decode(new GraphOps(graph), new GraphWeights(graph, weights),
                graph.input("latents", shape, Graph.ElementType.FLOAT));
        OnnxSession built = runtime.createSession(graph.model(output), OnnxSession.SessionWeights.of(weights),
                output.shape());
        session = built;
        size = shape;
        return built;
    }

    @Override
    public void close() {
        if (session != null) session.close();
        session = null;
        weights.close();
    }
}

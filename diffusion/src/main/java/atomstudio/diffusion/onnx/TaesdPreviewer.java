package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.LatentPreviewer;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.TinyAutoencoder;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;

/// Decodes previews with TAESD. Not thread-safe; owns its session and mapped weights.
public final class TaesdPreviewer implements LatentPreviewer, AutoCloseable {
    private final Checkpoint checkpoint;
    private final SessionCache<Shape> sessions;

    private TaesdPreviewer(TinyAutoencoder autoencoder, Checkpoint checkpoint, OnnxRuntime runtime) {
        this.checkpoint = checkpoint;
        this.sessions = new SessionCache<>(1,
                shape -> runtime.createSession(checkpoint, OnnxSettings.of(runtime.device()),
                        (ops, weights) -> autoencoder.decoder().decode(ops, weights, ops.input("latents", shape))));
    }

    /// @throws Failure.Incompatible if tensors are missing or of another shape
    public static TaesdPreviewer open(TinyAutoencoder autoencoder, Device device, int threads) throws Failure {
        OnnxRuntime runtime = OnnxRuntime.open(device, threads);
        return new TaesdPreviewer(autoencoder, autoencoder.openCheckpoint(), runtime);
    }

    @Override
    public RgbImage preview(Tensor denoised) throws Failure {
        return RgbImage.fromTensor(decode(denoised));
    }

    /// Latents (1, C, h, w) -> (1, 3, 8h, 8w), about -1..1.
    Tensor decode(Tensor denoised) throws Failure {
        OnnxSession session = sessions.get(denoised.shape());
        return session.run(Map.of("latents", OnnxSession.Feed.of(denoised)), Map.of());
    }

    @Override
    public void close() {
        sessions.close();
        checkpoint.close();
    }
}

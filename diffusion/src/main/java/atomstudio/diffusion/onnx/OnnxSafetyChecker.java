package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.SafetyChecker;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;

/// Runs a model's safety checker. Not thread-safe; owns its session, which is built for the first image, and its mapped
/// weights.
public final class OnnxSafetyChecker implements AutoCloseable {
    private final SafetyChecker checker;
    private final Checkpoint checkpoint;
    private final SessionCache<Shape> sessions;

    private OnnxSafetyChecker(SafetyChecker checker, Checkpoint checkpoint, OnnxRuntime runtime) {
        this.checker = checker;
        this.checkpoint = checkpoint;
        this.sessions = new SessionCache<>(1, shape -> runtime.createSession(checkpoint,
                OnnxSettings.of(runtime.device()), (ops, weights) -> checker.imageEncoder()
                        .network()
                        .embed(ops, weights, ops.input("pixel_values", shape))));
    }

    /// @throws Failure.Incompatible if tensors are missing or of another shape
    public static OnnxSafetyChecker open(SafetyChecker checker, Device device, int threads) throws Failure {
        OnnxRuntime runtime = OnnxRuntime.open(device, threads);
        return new OnnxSafetyChecker(checker, checker.imageEncoder().openCheckpoint(), runtime);
    }

    /// Whether the checker flags an image.
    public boolean isUnsafe(RgbImage image) throws Failure {
        return isUnsafe(checker.imageEncoder().processor().preprocess(image));
    }

    /// The same for preprocessed pixel values (1, 3, S, S).
    boolean isUnsafe(Tensor pixelValues) throws Failure {
        OnnxSession session = sessions.get(pixelValues.shape());
        Tensor embedding = session.run(Map.of("pixel_values", OnnxSession.Feed.of(pixelValues)), Map.of());
        return checker.isUnsafe(embedding.data());
    }

    @Override
    public void close() {
        sessions.close();
        checkpoint.close();
    }
}

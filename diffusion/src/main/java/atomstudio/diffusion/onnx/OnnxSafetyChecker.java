package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.SafetyChecker;
import atomstudio.diffusion.tensor.Tensor;

/// Runs a model's safety checker. Not thread-safe; owns its network.
public final class OnnxSafetyChecker implements AutoCloseable {
    private final SafetyChecker checker;
    private final OnnxNetworkFile network;

    private OnnxSafetyChecker(SafetyChecker checker, OnnxRuntime runtime) throws Failure {
        this.checker = checker;
        this.network = new OnnxNetworkFile(checker.imageEncoder().file(), runtime, OnnxSettings.of(runtime.device()),
                shape -> (ops, weights) -> checker.imageEncoder()
                        .network()
                        .embed(ops, weights, ops.input("pixels", shape)));
    }

    /// @throws Failure.Incompatible if tensors are missing or of another shape
    public static OnnxSafetyChecker open(SafetyChecker checker, Device device, int threads) throws Failure {
        return new OnnxSafetyChecker(checker, OnnxRuntime.open(device, threads));
    }

    /// Whether the checker flags an image.
    public boolean isUnsafe(RgbImage image) throws Failure {
        return isUnsafe(checker.imageEncoder().processor().preprocess(image));
    }

    /// The same for preprocessed pixel values (1, 3, S, S).
    boolean isUnsafe(Tensor pixelValues) throws Failure {
        return checker.isUnsafe(network.run("pixels", pixelValues).data());
    }

    @Override
    public void close() {
        network.close();
    }
}

package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.ClassifierModel;
import atomstudio.diffusion.tensor.Tensor;

/// Runs a classifier on ONNX Runtime. Not thread-safe; owns its network.
public final class OnnxClassifier implements AutoCloseable {
    private final OnnxNetworkFile network;

    private OnnxClassifier(OnnxNetworkFile network) {
        this.network = network;
    }

    /// @throws Failure.Incompatible if tensors are missing or of another shape
    public static OnnxClassifier open(ClassifierModel model, Device device, int threads) throws Failure {
        return new OnnxClassifier(new OnnxNetworkFile(model.file(), OnnxRuntime.open(device, threads),
                OnnxSettings.of(device),
                shape -> (ops, weights) -> model.network().logits(ops, weights, ops.input("pixels", shape))));
    }

    /// Normalized pixels (B, C, H, W) -> logits (B, classes).
    public Tensor logits(Tensor pixels) throws Failure {
        return network.run("pixels", pixels);
    }

    @Override
    public void close() {
        network.close();
    }
}

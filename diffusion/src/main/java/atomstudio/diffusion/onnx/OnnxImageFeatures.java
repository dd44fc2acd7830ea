package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.ClassifierModel;
import atomstudio.diffusion.net.VisionTransformer;
import atomstudio.diffusion.tensor.Tensor;

/// Embeds images with a ViT, such as DINO's, on ONNX Runtime. Not thread-safe; owns its network.
public final class OnnxImageFeatures implements AutoCloseable {
    private final OnnxNetworkFile network;

    private OnnxImageFeatures(OnnxNetworkFile network) {
        this.network = network;
    }

    /// @throws Failure.Incompatible if it is no ViT, or tensors other than those of the head are missing
    public static OnnxImageFeatures open(ClassifierModel model, Device device, int threads) throws Failure {
        if (!(model.network() instanceof VisionTransformer vit))
            throw new Failure.Incompatible(model.path() + ": expected a ViT such as DINO's, found a "
                    + model.network().getClass().getSimpleName());
        return new OnnxImageFeatures(new OnnxNetworkFile(model.openBackbone(), OnnxRuntime.open(device, threads),
                OnnxSettings.of(device),
                shape -> (ops, weights) -> vit.features(ops, weights, ops.input("pixels", shape))));
    }

    /// Normalized pixels (B, C, H, W) -> embeddings (B, width), not normalized.
    public Tensor embed(Tensor pixels) throws Failure {
        return network.run("pixels", pixels);
    }

    @Override
    public void close() {
        network.close();
    }
}

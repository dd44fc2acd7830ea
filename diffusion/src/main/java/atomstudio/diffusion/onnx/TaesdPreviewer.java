package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.LatentPreviewer;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.NetworkFile;
import atomstudio.diffusion.net.TaesdDecoder;
import atomstudio.diffusion.tensor.Tensor;

/// Decodes previews with TAESD. Not thread-safe; owns its network.
public final class TaesdPreviewer implements LatentPreviewer, AutoCloseable {
    private final OnnxNetworkFile network;

    private TaesdPreviewer(NetworkFile<TaesdDecoder> decoder, OnnxRuntime runtime) throws Failure {
        this.network = new OnnxNetworkFile(decoder, runtime, OnnxSettings.of(runtime.device()),
                shape -> (ops, weights) -> decoder.network().decode(ops, weights, ops.input("latents", shape)));
    }

    /// @throws Failure.Incompatible if tensors are missing or of another shape
    public static TaesdPreviewer open(NetworkFile<TaesdDecoder> decoder, Device device, int threads) throws Failure {
        return new TaesdPreviewer(decoder, OnnxRuntime.open(device, threads));
    }

    @Override
    public RgbImage preview(Tensor denoised) throws Failure {
        return RgbImage.fromTensor(decode(denoised));
    }

    /// Latents (1, C, h, w) -> (1, 3, 8h, 8w), about -1..1.
    Tensor decode(Tensor denoised) throws Failure {
        return network.run("latents", denoised);
    }

    @Override
    public void close() {
        network.close();
    }
}

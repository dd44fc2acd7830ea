package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Autoencoder;
import atomstudio.diffusion.engine.LatentDistribution;
import atomstudio.diffusion.engine.TileDecoder;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Objects;

/// The VAE on PyTorch, in float32.
final class TorchAutoencoder extends TorchNetwork implements Autoencoder, TileDecoder {
    private final Vae vae;
    private final Torch torch;

    TorchAutoencoder(TorchEngine engine) {
        super(engine, Component.VAE);
        this.vae = engine.model().vae();
        this.torch = engine.torch();
    }

    @Override
    public LatentDistribution encode(Tensor images) throws Failure {
        return LatentDistribution.ofEncoderOutput(engine.run("encoder",
                () -> vae.encode(torch.ops(), engine.layers(TorchEngine.Network.ENCODER), torch.array(images))));
    }

    @Override
    public Tensor decode(Tensor latents) throws Failure {
        return engine.run("decoder", () -> vae.decode(torch.ops(), decoderLayers(), torch.array(latents)));
    }

    @Override
    public Tensor decodeHead(Tensor latents, int levels) throws Failure {
        return engine.run("decoder",
                () -> vae.decodeHead(torch.ops(), decoderLayers(), torch.array(latents), levels));
    }

    @Override
    public Tensor decodeTile(Tensor features, int level, List<LayerWeights<Tensor>> norms) throws Failure {
        return engine.run("decoder", () -> {
            List<LayerWeights<NDArray>> groupNorms = norms.stream()
                    .map(norm -> new LayerWeights<>(torch.array(norm.weight()),
                            torch.array(Objects.requireNonNull(norm.bias()))))
                    .toList();
            return vae.decodeTile(torch.ops(), decoderLayers(), torch.array(features), level, groupNorms);
        });
    }

    private TorchWeights decoderLayers() {
        return engine.layers(TorchEngine.Network.DECODER);
    }
}

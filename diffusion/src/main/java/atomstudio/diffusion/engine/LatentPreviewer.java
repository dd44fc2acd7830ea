package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.NetworkLayers;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;

/// Shows quickly what a picture becomes, while it is being sampled. On the thread of the engine.
@FunctionalInterface
public interface LatentPreviewer {
    /// @param denoised latents (1,C,h,w) that the network sees in the noise, multiplied by the scaling factor
    /// @return a picture of these latents' proportions, not always of the final size
    RgbImage preview(Tensor denoised) throws Failure;

    /// The best that costs little beside a step: a small model's own decoder, a linear look at a large one's latents.
    static LatentPreviewer fastest(DiffusionModel model, Engine engine) throws Failure {
        long parameters = Layer.parameterCount(NetworkLayers.of(model.vae()));
        return parameters <= Latent2RgbPreviewer.MAX_DECODER_PARAMETERS ? latents -> RgbImage.fromTensor(
                new LatentDecoder(model, engine, LatentDecoder.AvailableMemory::bytes, ignored -> {}).decode(latents))
                : Latent2RgbPreviewer.fit(model, engine);
    }
}

package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;

/// Previews an image while it is being sampled. Runs on the engine's thread.
@FunctionalInterface
public interface LatentPreviewer {
    /// @param denoised the predicted x0 (1, C, h, w), multiplied by the scaling factor
    /// @return an image of the same aspect ratio, possibly smaller than the final one
    RgbImage preview(Tensor denoised) throws Failure;

    /// The best one that is cheap compared with a step: the decoder of a small model, latent2rgb for a large one.
    static LatentPreviewer fastest(DiffusionModel model, Autoencoder autoencoder) throws Failure {
        long parameters = Layer.parameterCount(model.vae().layers());
        if (parameters > Latent2RgbPreviewer.MAX_DECODER_PARAMETERS) return Latent2RgbPreviewer.fit(model, autoencoder);
        LatentDecoder decoder = new LatentDecoder(model.vae(),
                TiledDecodingFallback.around(autoencoder, model.vae(), warning -> {}));
        return denoised -> RgbImage.fromTensor(decoder.decode(denoised));
    }
}

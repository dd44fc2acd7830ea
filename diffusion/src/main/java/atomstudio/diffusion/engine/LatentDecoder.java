package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.tensor.Tensor;

/// Decodes sampled latents to pixels. Does not own the autoencoder.
record LatentDecoder(Vae vae, Autoencoder autoencoder) {
    /// Sampled latents -> (1, 3, H, W), about -1..1.
    Tensor decode(Tensor latents) throws Failure {
        Tensor scaled = Tensor.zeros(latents.shape());
        float scalingFactor = (float) vae.scalingFactor();
        for (int i = 0; i < scaled.data().length; i++) scaled.data()[i] = latents.data()[i] / scalingFactor;
        return autoencoder.decode(scaled);
    }
}

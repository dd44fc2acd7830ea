package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.tensor.Tensor;

/// Decodes sampled latents to pixels. Does not own the autoencoder.
record LatentDecoder(Vae vae, Autoencoder autoencoder) {
    /// Sampled latents -> (1, 3, H, W), about -1..1.
    Tensor decode(Tensor latents) throws Failure {
        float scalingFactor = (float) vae.scalingFactor();
        return autoencoder.decode(latents.map(value -> value / scalingFactor));
    }
}

package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Runs a model's VAE.
public interface Autoencoder extends EngineNetwork {
    /// Images (B, 3, H, W) in -1..1 -> the distribution of their latents, not multiplied by the scaling factor.
    LatentDistribution encode(Tensor images) throws Failure;

    /// Latents divided by the scaling factor -> (B, 3, 8H, 8W), about -1..1.
    /// @throws Failure.OutOfMemory if memory is short
    Tensor decode(Tensor latents) throws Failure;
}

package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// Runs a model's VAE.
public interface Autoencoder extends EngineNetwork {
    /// Images (B, 3, H, W) in -1..1 -> the distribution of their latents, not multiplied by the scaling factor.
    LatentDistribution encode(Tensor images) throws Failure;

    /// Announces that latents (1, C, h, w) will be decoded: what that needs may be made while steps are computed.
    default void prepareDecoding(Shape latents) {}

    /// Latents divided by the scaling factor -> (B, 3, 8H, 8W), about -1..1.
    /// @throws Failure.OutOfMemory if memory is short
    Tensor decode(Tensor latents) throws Failure;
}

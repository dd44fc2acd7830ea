package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// Runs a model's UNet.
@FunctionalInterface
public interface NoisePredictor extends EngineNetwork {
    /// The UNet's output (B, C, H, W) for latents (B, C, H, W) and timesteps (B).
    /// @throws Failure.OutOfMemory if memory is short
    Tensor predict(Tensor latents, float[] timesteps, Conditioning conditioning, List<WeightedAdapter> adapters)
            throws Failure;
}

package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Runs the network on noisy latents at a timestep; guidance, prompts and adapters are inside.
@FunctionalInterface
public interface Denoiser {
    /// @param scaledLatents (B, C, H, W), always alpha · x0 + sigma · noise, in either parameterization
    /// @param timestep training timestep, possibly fractional
    /// @return the network's output (B, C, H, W), interpreted by the schedule's [PredictionType]
    Tensor predict(Tensor scaledLatents, double timestep) throws Failure;
}

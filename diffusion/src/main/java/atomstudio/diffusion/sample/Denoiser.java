package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// What the network says of noisy latents at a time. Guidance, prompts and adapters are inside.
@FunctionalInterface
public interface Denoiser {
    /// @param scaledLatents (B, C, H, W), always as alpha · x0 + sigma · noise, whatever space the sampler works in
    /// @param timestep in training steps, not always whole
    /// @return the network's output (B, C, H, W), meaning what the schedule's [PredictionType] says
    Tensor predict(Tensor scaledLatents, double timestep) throws Failure;
}

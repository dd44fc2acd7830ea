package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// A way to walk a schedule from noise to latents. Samplers keep nothing between calls: history is a local variable.
public sealed interface Sampler permits Ddim, Euler, EulerAncestral, DpmPlusPlus2M {
    /// Runs the denoiser once a step.
    /// @param noise standard normal (B, C, H, W)
    /// @param random where samplers that add noise on their way draw it, once a step, after the first latents were drawn
    Sampled sample(Denoiser denoiser, Tensor noise, Schedule schedule, NoiseSource random, StepListener listener) throws Failure;
}

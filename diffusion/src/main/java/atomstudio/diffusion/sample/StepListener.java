package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// Hears of every finished step, on the sampler's thread, and says whether to go on.
@FunctionalInterface
public interface StepListener {
    enum Next { CONTINUE, STOP }

    /// @param done finished steps, from 1
    /// @param latents (B, C, H, W) after the step, in the sampler's own space; not to be changed
    Next after(int done, Tensor latents);

    /// Hears nothing, never stops.
    static StepListener none() {
        return (done, latents) -> Next.CONTINUE;
    }
}

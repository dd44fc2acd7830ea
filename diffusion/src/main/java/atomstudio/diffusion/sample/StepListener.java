package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// Hears of every finished step, on the sampler's thread, and says whether to go on.
@FunctionalInterface
public interface StepListener {
    enum Next { CONTINUE, STOP }

    /// Once a step, however often the step asked the network.
    Next onStep(SamplingProgress progress);

    /// Hears nothing, never stops.
    static StepListener none() {
        return progress -> Next.CONTINUE;
    }

    /// Where a walk stands after a step. The tensors are not to be changed.
    ///
    /// @param completedSteps finished steps, from 1
    /// @param latents (B, C, H, W) after the step, in the schedule's own space
    /// @param denoised the latents x0 that the network saw in them at the step's beginning, multiplied by the
    ///     autoencoder's scaling factor: for previews
    record SamplingProgress(int completedSteps, Tensor latents, Tensor denoised) {}
}

package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// Called after every step, on the sampling thread; returns whether to continue.
@FunctionalInterface
public interface StepListener {
    enum Next { CONTINUE, STOP }

    /// Called once a step, also for samplers with several network calls a step.
    Next onStep(SamplingProgress progress);

    static StepListener none() {
        return progress -> Next.CONTINUE;
    }

    /// The state after a step. The tensors must not be modified.
    ///
    /// @param completedSteps from 1
    /// @param latents (B, C, H, W) after the step, in the schedule's parameterization
    /// @param denoised the x0 predicted at the start of the step, multiplied by the autoencoder's scaling factor; for
    ///     previews
    record SamplingProgress(int completedSteps, Tensor latents, Tensor denoised) {}
}

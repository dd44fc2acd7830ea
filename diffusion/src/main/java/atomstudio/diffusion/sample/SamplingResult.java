package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// How sampling ended. A failure is thrown; being cancelled is none.
public sealed interface SamplingResult {
    /// Clean latents (B, C, H, W), still multiplied by the autoencoder's scaling factor.
    record Finished(Tensor latents) implements SamplingResult {}

    /// The listener said stop after this many steps.
    record Cancelled(int completedSteps) implements SamplingResult {}
}

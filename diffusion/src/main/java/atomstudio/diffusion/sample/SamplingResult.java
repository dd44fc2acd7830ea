package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// How sampling ended.
public sealed interface SamplingResult {
    /// Clean latents (B, C, H, W), still multiplied by the autoencoder's scaling factor.
    record Finished(Tensor latents) implements SamplingResult {}

    /// The listener stopped sampling after this many steps.
    record Cancelled(int completedSteps) implements SamplingResult {}
}

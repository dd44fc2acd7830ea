package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// How sampling ended.
public sealed interface SamplingResult {
    /// @throws IllegalStateException if sampling was cancelled
    default Tensor requireLatents() {
        return switch (this) {
            case Finished(Tensor latents) -> latents;
            case Cancelled(int steps) -> throw new IllegalStateException("sampling was cancelled after step " + steps);
        };
    }

    /// Clean latents (B, C, H, W), still multiplied by the autoencoder's scaling factor.
    record Finished(Tensor latents) implements SamplingResult {}

    /// The listener stopped sampling after this many steps.
    record Cancelled(int completedSteps) implements SamplingResult {}
}

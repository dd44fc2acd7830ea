package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// Where a walk stands after a step. The tensors are not to be changed.
///
/// @param completedSteps finished steps, from 1
/// @param latents (B, C, H, W) after the step, in the schedule's own space
/// @param denoised the latents x0 that the network saw in them at the step's beginning, multiplied by the autoencoder's scaling factor: for previews
public record SamplingProgress(int completedSteps, Tensor latents, Tensor denoised) {}

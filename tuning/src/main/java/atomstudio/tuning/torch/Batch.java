package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Tensor;

/// Noisy latents (B,C,H,W) at their timesteps (B) under the context (B,S,C), what the network should say of them (B,C,H,W), and how
/// much each picture counts (B).
public record Batch(Tensor noisy, float[] timesteps, Tensor context, Tensor target, Tensor weights) {}

package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Tensor;

/// Noisy latents (B,C,H,W) at their timesteps (B) under a conditioning, what the network should say of them (B,C,H,W), and how much
/// each picture counts, (B,1,1,1), or each of its latent pixels, (B,1,H,W): the loss is the mean of weight · squared difference.
public record Batch(Tensor noisy, float[] timesteps, Conditioning conditioning, Tensor target, Tensor weights) {}

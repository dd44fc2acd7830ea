package atomstudio.diffusion.engine;

import atomstudio.diffusion.tensor.Tensor;

/// What the autoencoder says of a picture: mean and log variance of its latents, (B,4,H/8,W/8), the latter within -30..20.
public record Moments(Tensor mean, Tensor logVariance) {}

package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// In which latents a sampler walks. What the network is shown is always alpha · x0 + sigma · noise.
public enum Space {
    /// x0 + σ · noise, σ = sigma / alpha: Karras et al. 2022.
    RATIO,
    /// alpha · x0 + sigma · noise: Ho et al. 2020.
    VARIANCE;

    /// Clean latents (B, C, H, W) under standard normal noise of the same shape, at a level of this space.
    public Tensor noised(Tensor clean, Tensor noise, Level at) {
        return switch (this) {
            case RATIO -> Latents.sum(1, clean, at.ratio(), noise);
            case VARIANCE -> Latents.sum(at.alpha(), clean, at.sigma(), noise);
        };
    }

    /// Latents of this space as the network is shown them.
    Tensor shown(Tensor x, Level at) {
        return switch (this) {
            case RATIO -> Latents.scale(at.alpha(), x);
            case VARIANCE -> x;
        };
    }
}

package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// In which latents a sampler walks. What the network is shown is always alpha · x0 + sigma · noise.
public enum Parameterization {
    /// x0 + σ · noise, σ = sigma / alpha: Karras et al. 2022.
    VARIANCE_EXPLODING,
    /// alpha · x0 + sigma · noise: Ho et al. 2020.
    VARIANCE_PRESERVING;

    /// Clean latents (B, C, H, W) under standard normal noise of the same shape, at a level of this space.
    public Tensor addNoise(Tensor original, Tensor noise, NoiseLevel level) {
        return switch (this) {
            case VARIANCE_EXPLODING -> LatentMath.weightedSum(1, original, level.sigma(), noise);
            case VARIANCE_PRESERVING -> LatentMath.weightedSum(level.alphaT(), original, level.sigmaT(), noise);
        };
    }

    /// Latents of this space as the network is shown them.
    Tensor scaleModelInput(Tensor x, NoiseLevel level) {
        return switch (this) {
            case VARIANCE_EXPLODING -> LatentMath.scale(level.alphaT(), x);
            case VARIANCE_PRESERVING -> x;
        };
    }
}

package atomstudio.diffusion.sample;

/// How much of the clean latents and how much noise: x = alpha · x0 + sigma · noise, alpha² + sigma² = 1.
/// A pair, not the ratio alone: zero terminal SNR starts at (0, 1), where sigma / alpha is infinite.
public record NoiseLevel(double alphaT, double sigmaT) {
    /// From the cumulated product of a training schedule, alpha² = ᾱ.
    public static NoiseLevel ofAlphaCumprod(double alphaCumprod) {
        return new NoiseLevel(Math.sqrt(alphaCumprod), Math.sqrt(1 - alphaCumprod));
    }

    /// From noise over signal, the σ of Karras et al. 2022.
    public static NoiseLevel ofSigma(double sigma) {
        double alphaT = 1 / Math.sqrt(sigma * sigma + 1);
        return new NoiseLevel(alphaT, sigma * alphaT);
    }

    /// Noise over signal, infinite where nothing but noise is left.
    public double sigma() {
        return sigmaT / alphaT;
    }

    /// Half the logarithm of the signal-to-noise ratio, the λ of Lu et al. 2022; infinite where no noise is left.
    public double lambda() {
        return Math.log(alphaT) - Math.log(sigmaT);
    }
}

package atomstudio.diffusion.sample;

/// The share of signal and of noise in latents: x = alpha · x0 + sigma · noise, alpha² + sigma² = 1.
/// A pair, because zero terminal SNR starts at (0, 1), where the ratio sigma / alpha is infinite.
public record NoiseLevel(double alphaT, double sigmaT) {
    static final NoiseLevel NO_NOISE = new NoiseLevel(1, 0);

    /// From ᾱ of a training schedule, alpha² = ᾱ.
    public static NoiseLevel ofAlphaCumprod(double alphaCumprod) {
        return new NoiseLevel(Math.sqrt(alphaCumprod), Math.sqrt(1 - alphaCumprod));
    }

    /// From noise over signal, the σ of Karras et al. 2022.
    public static NoiseLevel ofSigma(double sigma) {
        double alphaT = 1 / Math.sqrt(sigma * sigma + 1);
        return new NoiseLevel(alphaT, sigma * alphaT);
    }

    /// Noise over signal; infinite at pure noise.
    public double sigma() {
        return sigmaT / alphaT;
    }

    /// Half the log signal-to-noise ratio, the λ of Lu et al. 2022; infinite without noise.
    public double lambda() {
        return Math.log(alphaT) - Math.log(sigmaT);
    }
}

package atomstudio.diffusion.sample;

/// How much of the clean latents and how much noise: x = alpha · x0 + sigma · noise, alpha² + sigma² = 1.
/// A pair, not the ratio alone: zero terminal SNR starts at (0, 1), where sigma / alpha is infinite.
public record Level(double alpha, double sigma) {
    /// From the cumulated product of a training schedule, alpha² = ᾱ.
    public static Level ofCumulated(double alphaBar) {
        return new Level(Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar));
    }

    /// From noise over signal, the σ of Karras et al. 2022.
    public static Level ofRatio(double ratio) {
        double alpha = 1 / Math.sqrt(ratio * ratio + 1);
        return new Level(alpha, ratio * alpha);
    }

    /// Noise over signal, infinite where nothing but noise is left.
    public double ratio() {
        return sigma / alpha;
    }

    /// Half the logarithm of the signal-to-noise ratio, the λ of Lu et al. 2022; infinite where no noise is left.
    public double lambda() {
        return Math.log(alpha) - Math.log(sigma);
    }
}

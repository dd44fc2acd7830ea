package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.function.DoubleFunction;
import java.util.random.RandomGenerator;

/// Data whose score is known at every noise level: each number of the latents comes by itself from one of two normal
/// distributions.
final class Mixture {
    private static final double[] SHARES = {0.4, 0.6};
    private static final double[] MEANS = {-1, 0.8};
    private static final double[] SPREADS = {0.3, 0.5};
    private static final int FINE = 1000;

    private Mixture() {}

    static double mean() {
        return SHARES[0] * MEANS[0] + SHARES[1] * MEANS[1];
    }

    static double variance() {
        double squares = 0;
        for (int i = 0; i < SHARES.length; i++) squares += SHARES[i] * (MEANS[i] * MEANS[i] + SPREADS[i] * SPREADS[i]);
        return squares - mean() * mean();
    }

    static Tensor drawn(Shape shape, RandomGenerator random) {
        Tensor drawn = Tensor.zeros(shape);
        for (int i = 0; i < drawn.data().length; i++) {
            int of = random.nextDouble() < SHARES[0] ? 0 : 1;
            drawn.data()[i] = (float) (MEANS[of] + SPREADS[of] * random.nextGaussian());
        }
        return drawn;
    }

    /// A network that has learned the data and says the noise.
    static Denoiser network(DoubleFunction<NoiseLevel> levels) {
        return (shown, timestep) -> {
            NoiseLevel at = levels.apply(timestep);
            Tensor noise = Tensor.zeros(shown.shape());
            for (int i = 0; i < noise.data().length; i++)
                noise.data()[i] = (float) slope(shown.data()[i] / at.alphaT(), at.sigma());
            return noise;
        };
    }

    /// dx/dσ of the probability flow at x = x0 + σ · noise: the expected noise.
    static double slope(double x, double ratio) {
        double[] weights = new double[SHARES.length];
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            double variance = SPREADS[i] * SPREADS[i] + ratio * ratio;
            weights[i] = SHARES[i] / Math.sqrt(variance) * Math.exp(-(x - MEANS[i]) * (x - MEANS[i]) / (2 * variance));
            sum += weights[i];
        }
        double slope = 0;
        for (int i = 0; i < weights.length; i++)
            slope += weights[i] / sum * ratio * (x - MEANS[i]) / (SPREADS[i] * SPREADS[i] + ratio * ratio);
        return slope;
    }

    /// Where the probability flow leads from one σ to another, by Runge and Kutta's method in many steps of log σ.
    static double flow(double x, double from, double to) {
        double h = Math.log(to / from) / FINE;
        for (int i = 0; i < FINE; i++) {
            double log = Math.log(from) + i * h;
            double a = rate(x, log);
            double b = rate(x + h / 2 * a, log + h / 2);
            double c = rate(x + h / 2 * b, log + h / 2);
            x += h / 6 * (a + 2 * b + 2 * c + rate(x + h * c, log + h));
        }
        return x;
    }

    private static double rate(double x, double log) {
        return slope(x, Math.exp(log)) * Math.exp(log);
    }
}

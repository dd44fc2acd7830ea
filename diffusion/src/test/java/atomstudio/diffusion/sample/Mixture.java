package atomstudio.diffusion.sample;

import atomstudio.diffusion.sample.SamplingRun.Denoiser;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.function.DoubleFunction;
import java.util.random.RandomGenerator;

/// Data with a known score at every noise level: each element is drawn independently from a mixture of two normal
/// distributions.
final class Mixture {
    private static final double[] WEIGHTS = {0.4, 0.6};
    private static final double[] MEANS = {-1, 0.8};
    private static final double[] STD_DEVS = {0.3, 0.5};
    private static final int FLOW_STEPS = 1000;

    private Mixture() {}

    static double mean() {
        return WEIGHTS[0] * MEANS[0] + WEIGHTS[1] * MEANS[1];
    }

    static double variance() {
        double squares = 0;
        for (int i = 0; i < WEIGHTS.length; i++)
            squares += WEIGHTS[i] * (MEANS[i] * MEANS[i] + STD_DEVS[i] * STD_DEVS[i]);
        return squares - mean() * mean();
    }

    static Tensor sample(Shape shape, RandomGenerator random) {
        Tensor sample = Tensor.zeros(shape);
        for (int i = 0; i < sample.data().length; i++) {
            int component = random.nextDouble() < WEIGHTS[0] ? 0 : 1;
            sample.data()[i] = (float) (MEANS[component] + STD_DEVS[component] * random.nextGaussian());
        }
        return sample;
    }

    /// The exact epsilon prediction.
    static Denoiser denoiser(DoubleFunction<NoiseLevel> levels) {
        return (x, timestep) -> {
            NoiseLevel level = levels.apply(timestep);
            Tensor noise = Tensor.zeros(x.shape());
            for (int i = 0; i < noise.data().length; i++)
                noise.data()[i] = (float) derivative(x.data()[i] / level.alphaT(), level.sigma());
            return noise;
        };
    }

    /// dx/dσ of the probability flow at x = x0 + σ · noise: the expected noise.
    static double derivative(double x, double sigma) {
        double[] posterior = new double[WEIGHTS.length];
        double sum = 0;
        for (int i = 0; i < posterior.length; i++) {
            double variance = STD_DEVS[i] * STD_DEVS[i] + sigma * sigma;
            posterior[i] = WEIGHTS[i] / Math.sqrt(variance)
                    * Math.exp(-(x - MEANS[i]) * (x - MEANS[i]) / (2 * variance));
            sum += posterior[i];
        }
        double derivative = 0;
        for (int i = 0; i < posterior.length; i++)
            derivative += posterior[i] / sum * sigma * (x - MEANS[i]) / (STD_DEVS[i] * STD_DEVS[i] + sigma * sigma);
        return derivative;
    }

    /// The probability flow from one σ to another, by the Runge-Kutta method in many steps of log σ.
    static double flow(double x, double from, double to) {
        double h = Math.log(to / from) / FLOW_STEPS;
        for (int i = 0; i < FLOW_STEPS; i++) {
            double logSigma = Math.log(from) + i * h;
            double a = rate(x, logSigma);
            double b = rate(x + h / 2 * a, logSigma + h / 2);
            double c = rate(x + h / 2 * b, logSigma + h / 2);
            x += h / 6 * (a + 2 * b + 2 * c + rate(x + h * c, logSigma + h));
        }
        return x;
    }

    private static double rate(double x, double logSigma) {
        return derivative(x, Math.exp(logSigma)) * Math.exp(logSigma);
    }
}

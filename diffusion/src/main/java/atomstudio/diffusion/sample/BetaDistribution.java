package atomstudio.diffusion.sample;

/// Quantiles of the beta distribution.
final class BetaDistribution {
    private static final int MAX_TERMS = 300;
    private static final double MIN_MAGNITUDE = 1e-300;

    private BetaDistribution() {}

    /// The x with cumulative probability p, by bisection.
    static double quantile(double p, double a, double b) {
        if (p <= 0) return 0;
        if (p >= 1) return 1;
        double normalizer = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b));
        double low = 0;
        double high = 1;
        while (high - low > 1e-15 * high) {
            double mid = (low + high) / 2;
            if (mid == low || mid == high) break;
            if (cdf(mid, a, b, normalizer) < p) low = mid;
            else high = mid;
        }
        return (low + high) / 2;
    }

    /// The regularized incomplete beta function. Source: Press et al. 2007, "Numerical Recipes", section 6.4.
    private static double cdf(double x, double a, double b, double normalizer) {
        double front = normalizer * Math.pow(x, a) * Math.pow(1 - x, b);
        return x < (a + 1) / (a + b + 2) ? front * continuedFraction(x, a, b) / a
                : 1 - front * continuedFraction(1 - x, b, a) / b;
    }

    /// Continued fraction of the incomplete beta function, by Lentz's method.
    private static double continuedFraction(double x, double a, double b) {
        double c = 1;
        double d = 1 / awayFromZero(1 - (a + b) * x / (a + 1));
        double value = d;
        for (int m = 1; m <= MAX_TERMS; m++) {
            double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 / awayFromZero(1 + even * d);
            c = awayFromZero(1 + even / c);
            value *= d * c;
            double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / awayFromZero(1 + odd * d);
            c = awayFromZero(1 + odd / c);
            value *= d * c;
            if (Math.abs(d * c - 1) < 1e-16) break;
        }
        return value;
    }

    private static double awayFromZero(double value) {
        return Math.abs(value) < MIN_MAGNITUDE ? MIN_MAGNITUDE : value;
    }

    /// log Γ(x) for small positive x, by recurrence and Stirling's series.
    private static double logGamma(double x) {
        double product = 1;
        double shifted = x;
        while (shifted < 15) product *= shifted++;
        double square = 1 / (shifted * shifted);
        double series = (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680))) / shifted;
        return (shifted - 0.5) * Math.log(shifted) - shifted + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
    }
}

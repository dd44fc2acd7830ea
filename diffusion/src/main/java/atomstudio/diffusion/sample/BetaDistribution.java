package atomstudio.diffusion.sample;

/// Quantiles of the beta distribution.
final class BetaDistribution {
    private static final int MOST_TERMS = 300;
    private static final double SMALL = 1e-300;

    private BetaDistribution() {}

    /// The x below which a share of the distribution with these shapes lies, by halving.
    static double quantile(double share, double a, double b) {
        if (share <= 0) return 0;
        if (share >= 1) return 1;
        double whole = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b));
        double low = 0;
        double high = 1;
        while (high - low > 1e-15 * high) {
            double middle = (low + high) / 2;
            if (middle == low || middle == high) break;
            if (below(middle, a, b, whole) < share) low = middle;
            else high = middle;
        }
        return (low + high) / 2;
    }

    /// The regularized incomplete beta function. Source: Press et al. 2007, "Numerical Recipes", section 6.4.
    private static double below(double x, double a, double b, double whole) {
        double front = whole * Math.pow(x, a) * Math.pow(1 - x, b);
        return x < (a + 1) / (a + b + 2) ? front * fraction(x, a, b) / a : 1 - front * fraction(1 - x, b, a) / b;
    }

    /// Its continued fraction, by Lentz's method.
    private static double fraction(double x, double a, double b) {
        double c = 1;
        double d = 1 / away(1 - (a + b) * x / (a + 1));
        double value = d;
        for (int m = 1; m <= MOST_TERMS; m++) {
            double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 / away(1 + even * d);
            c = away(1 + even / c);
            value *= d * c;
            double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / away(1 + odd * d);
            c = away(1 + odd / c);
            value *= d * c;
            if (Math.abs(d * c - 1) < 1e-16) break;
        }
        return value;
    }

    private static double away(double value) {
        return Math.abs(value) < SMALL ? SMALL : value;
    }

    /// log Γ(x) for small positive x, by recurrence and Stirling's series.
    private static double logGamma(double x) {
        double product = 1;
        double at = x;
        while (at < 15) product *= at++;
        double square = 1 / (at * at);
        double series = (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680))) / at;
        return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
    }
}

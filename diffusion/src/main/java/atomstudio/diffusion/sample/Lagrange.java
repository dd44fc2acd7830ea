package atomstudio.diffusion.sample;

/// Integrals of Lagrange basis polynomials L_j, 1 at node j and 0 at the others: the coefficients of multistep methods.
final class Lagrange {
    private Lagrange() {}

    /// ∫ L_j(u) du from a to b.
    static double integral(double[] nodes, int j, double a, double b) {
        double[] basis = basis(nodes, j);
        double sum = 0;
        for (int k = 0; k < basis.length; k++) sum += basis[k] * (Math.pow(b, k + 1) - Math.pow(a, k + 1)) / (k + 1);
        return sum;
    }

    /// ∫ L_j(log ρ) dρ from a ≥ 0 to b ≥ 0, nodes in log ρ: e^u (L - L' + L'' ...) with u = log ρ.
    static double logIntegral(double[] nodes, int j, double a, double b) {
        double[] alternating = basis(nodes, j);
        for (int k = alternating.length - 2; k >= 0; k--) alternating[k] -= (k + 1) * alternating[k + 1];
        return antiderivative(alternating, b) - antiderivative(alternating, a);
    }

    private static double antiderivative(double[] polynomial, double rho) {
        if (rho == 0) return 0;
        double value = 0;
        for (int k = polynomial.length - 1; k >= 0; k--) value = value * Math.log(rho) + polynomial[k];
        return rho * value;
    }

    /// Coefficients of L_j, constant term first.
    private static double[] basis(double[] nodes, int j) {
        double[] product = {1};
        for (int k = 0; k < nodes.length; k++) {
            if (k == j) continue;
            double[] extended = new double[product.length + 1];
            for (int i = 0; i < product.length; i++) {
                extended[i + 1] += product[i] / (nodes[j] - nodes[k]);
                extended[i] -= product[i] * nodes[k] / (nodes[j] - nodes[k]);
            }
            product = extended;
        }
        return product;
    }
}

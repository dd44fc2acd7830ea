package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// The linear multistep method: the polynomial through up to four derivatives, integrated over the step.
/// Source: Hairer, Nørsett and Wanner 1993, "Solving Ordinary Differential Equations I", section III.1 (explicit
/// Adams methods, unequal steps in σ); k-diffusion's `sample_lms`.
public record Lms() implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        List<ModelOutput> history = context.historyWith(output);
        double[] sigmas = history.stream().mapToDouble(previous -> previous.level().sigma()).toArray();
        Tensor x = context.x();
        for (int j = 0; j < sigmas.length; j++) {
            double coefficient = Lagrange.integral(sigmas, j, context.sigma(), context.sigmaNext());
            x = add(x, coefficient, history.get(j).d());
        }
        return new StepResult(x, output);
    }

    /// Integrals of Lagrange basis polynomials L_j, 1 at node j and 0 at the others: the coefficients of multistep
    /// methods.
    static final class Lagrange {
        private Lagrange() {}

        /// ∫ L_j(u) du from a to b.
        static double integral(double[] nodes, int j, double a, double b) {
            double[] basis = basis(nodes, j);
            double sum = 0;
            for (int k = 0; k < basis.length; k++)
                sum += basis[k] * (Math.pow(b, k + 1) - Math.pow(a, k + 1)) / (k + 1);
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
}

package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;
import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.LinearSystem;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A predictor for x0, and a corrector that redoes the previous step with the new output, without another network
/// call; in latents alpha · x0 + sigma · noise.
/// Source: Zhao, Bai, Rao, Zhou and Lu 2023, "UniPC", algorithms 1 and 2 and equation 9 (data prediction).
///
/// @param order 1 to 3
/// @param solverType B(h) of the paper, h or e^h - 1
public record UniPc(int order, SolverType solverType, FinalOrder finalOrder, Thresholding thresholding)
        implements Sampler {
    public enum SolverType { BH1, BH2 }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise().thresholded(thresholding);
        List<ModelOutput> history = context.history();
        if (!history.isEmpty()) {
            int correctorOrder = finalOrder.stepOrder(order, history.size(), context.stepsLeft() + 1);
            output = output.withLatents(corrected(history.subList(0, correctorOrder), output));
        }
        if (context.sigmaNext() == context.sigma()) return new StepResult(output.x(), output);
        int predictorOrder = finalOrder.stepOrder(order, history.size() + 1, context.stepsLeft());
        List<ModelOutput> outputs = context.historyWith(output).subList(0, predictorOrder);
        return new StepResult(predicted(outputs, context.to()), output);
    }

    /// UniP: the step from the latest output to a noise level.
    private Tensor predicted(List<ModelOutput> history, NoiseLevel to) {
        int stepOrder = history.size();
        Terms terms = Terms.of(history, to, solverType);
        double[] rhos = stepOrder == 2 ? new double[] {0.5} : terms.rhos(stepOrder - 1);
        return terms.update(rhos);
    }

    /// UniC: the step from the previous output again, with the output at its end.
    private Tensor corrected(List<ModelOutput> history, ModelOutput next) {
        int stepOrder = history.size();
        Terms terms = Terms.of(history, next.level(), solverType);
        double[] rhos = stepOrder == 1 ? new double[] {0.5} : terms.rhos(stepOrder);
        Tensor d1 = add(next.denoised(), -1, history.getFirst().denoised());
        Tensor x = terms.update(Arrays.copyOf(rhos, stepOrder - 1));
        return add(x, -next.level().alphaT() * terms.b * rhos[stepOrder - 1], d1);
    }

    /// The parts of one step: `r` the positions of earlier outputs in units of h = Δλ, `d1s` their divided
    /// differences D / r.
    private record Terms(List<ModelOutput> history, NoiseLevel to, double h, double[] r, List<Tensor> d1s, double b) {
        static Terms of(List<ModelOutput> history, NoiseLevel to, SolverType solverType) {
            ModelOutput latest = history.getFirst();
            double h = to.lambda() - latest.level().lambda();
            double[] r = new double[history.size()];
            List<Tensor> d1s = new ArrayList<>();
            for (int i = 1; i < history.size(); i++) {
                ModelOutput earlier = history.get(i);
                r[i - 1] = (earlier.level().lambda() - latest.level().lambda()) / h;
                d1s.add(weightedSum(1 / r[i - 1], earlier.denoised(), -1 / r[i - 1], latest.denoised()));
            }
            r[history.size() - 1] = 1;
            return new Terms(history, to, h, r, d1s, solverType == SolverType.BH1 ? -h : Math.expm1(-h));
        }

        /// The first-order step and the weighted differences.
        Tensor update(double[] rhos) {
            ModelOutput latest = history.getFirst();
            Tensor x = weightedSum(to.sigmaT() / latest.level().sigmaT(), latest.x(), -to.alphaT() * Math.expm1(-h),
                    latest.denoised());
            for (int i = 0; i < d1s.size(); i++) x = add(x, -to.alphaT() * b * rhos[i], d1s.get(i));
            return x;
        }

        /// Weights of the first `count` positions: R ρ = φ, R a Vandermonde matrix of the positions.
        double[] rhos(int count) {
            double[][] rows = new double[count][count + 1];
            double phi = Math.expm1(-h) / -h - 1;
            double factorial = 1;
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < count; j++) rows[i][j] = Math.pow(r[j], i);
                rows[i][count] = phi * factorial / b;
                factorial *= i + 2;
                phi = phi / -h - 1 / factorial;
            }
            return LinearSystem.solve(rows);
        }
    }
}

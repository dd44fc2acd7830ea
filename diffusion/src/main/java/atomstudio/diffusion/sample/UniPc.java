package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A predictor for the clean latents, and a corrector that uses the next step's answer to take the step before once
/// more, at no cost of its own; in latents alpha · x0 + sigma · noise. Source: Zhao, Bai, Rao, Zhou and Lu 2023,
/// "UniPC", algorithms 1 and 2 and equation 9 (data prediction).
///
/// @param order 1 to 3
/// @param solverType B(h) of the paper, h or e^h - 1
/// @param finalOrder whether the last steps are of as low an order as steps are left
public record UniPc(int order, SolverType solverType, Deis.FinalOrder finalOrder, Thresholding thresholding)
        implements Sampler {
    public enum SolverType { BH1, BH2 }

    static SamplingPlan plan(SamplerRequest request) throws Failure {
        SchedulerConfig config = request.config();
        int order = config.integer("solver_order", 2);
        if (order < 1 || order > 3) throw new Failure.Incompatible("solver_order: expected 1 to 3, found " + order);
        if (!config.bool("predict_x0", true)) throw config.unsupported("predict_x0", "false");
        if (config.floats("disable_corrector").orElse(new float[0]).length > 0)
            throw config.unsupported("disable_corrector", "of some steps");
        TrainedSigmas trained = TrainedSigmas.of(config);
        Sigmas sigmas = MultistepSchedules.sigmas(request, trained.size(), Math::rint);
        double finalSigma = trained.finalSigma(config);
        if (finalSigma > 0)
            finalSigma = request.configuredSchedule() == ScheduleName.MODEL ? finalSigma : sigmas.last();
        Deis.FinalOrder finalOrder = config.bool("lower_order_final", true) ? Deis.FinalOrder.LOWER
                : Deis.FinalOrder.FULL;
        return new SamplingPlan(new UniPc(order, solverType(config), finalOrder, Thresholding.dynamicOnly(config)),
                MultistepSchedules.schedule(request, sigmas.steps(finalSigma)));
    }

    private static SolverType solverType(SchedulerConfig config) throws Failure {
        String name = config.string("solver_type", "bh2");
        return switch (name) {
            case "bh1" -> SolverType.BH1;
            case "bh2", "midpoint", "heun", "logrho" -> SolverType.BH2; // the reference reads the names of other solvers as bh2
            default -> throw config.unsupported("solver_type", name);
        };
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise().thresholded(thresholding);
        if (!context.history().isEmpty())
            output = output.withLatents(corrected(
                    context.history().subList(0, orderFor(context.history().size(), context.remaining().size() + 2)),
                    output));
        if (context.step().to().sigma() == output.level().sigma()) return new StepResult(output.x(), output);
        return new StepResult(predicted(
                context.historyWith(output)
                        .subList(0, orderFor(context.history().size() + 1, context.remaining().size() + 1)),
                context.step().to()), output);
    }

    private int orderFor(int available, int stepsLeft) {
        return Math.min(available, finalOrder == Deis.FinalOrder.LOWER ? Math.min(order, stepsLeft) : order);
    }

    /// UniP: on from the latest answer.
    private Tensor predicted(List<ModelOutput> history, NoiseLevel to) {
        int order = history.size();
        Terms terms = Terms.of(history, to, solverType);
        double[] rhos = order == 2 ? new double[] {0.5} : terms.rhos(order - 1);
        return terms.update(rhos);
    }

    /// UniC: the step from the latest known answer once more, with what was said at its end.
    private Tensor corrected(List<ModelOutput> history, ModelOutput next) {
        int order = history.size();
        Terms terms = Terms.of(history, next.level(), solverType);
        double[] rhos = order == 1 ? new double[] {0.5} : terms.rhos(order);
        Tensor d1 = LatentMath.weightedSum(1, next.denoised(), -1, history.getFirst().denoised());
        NoiseLevel to = next.level();
        return LatentMath.weightedSum(1, terms.update(Arrays.copyOf(rhos, order - 1)),
                -to.alphaT() * terms.b * rhos[order - 1], d1);
    }

    /// The step's pieces: r the earlier answers' places in units of h = Δλ, `changes` their divided differences D / r.
    private record Terms(List<ModelOutput> history, NoiseLevel to, double[] r, List<Tensor> d1s, double b) {
        static Terms of(List<ModelOutput> history, NoiseLevel to, SolverType solverType) {
            ModelOutput latest = history.getFirst();
            double h = to.lambda() - latest.level().lambda();
            double[] r = new double[history.size()];
            List<Tensor> d1s = new ArrayList<>();
            for (int i = 1; i < history.size(); i++) {
                r[i - 1] = (history.get(i).level().lambda() - latest.level().lambda()) / h;
                d1s.add(LatentMath.weightedSum(1 / r[i - 1], history.get(i).denoised(), -1 / r[i - 1],
                        latest.denoised()));
            }
            r[history.size() - 1] = 1;
            return new Terms(history, to, r, d1s, solverType == SolverType.BH1 ? -h : Math.expm1(-h));
        }

        /// The first-order step and the weighted changes.
        Tensor update(double[] rhos) {
            ModelOutput latest = history.getFirst();
            double h = to.lambda() - latest.level().lambda();
            Tensor x = LatentMath.weightedSum(to.sigmaT() / latest.level().sigmaT(), latest.x(),
                    -to.alphaT() * Math.expm1(-h), latest.denoised());
            for (int i = 0; i < d1s.size(); i++)
                x = LatentMath.weightedSum(1, x, -to.alphaT() * b * rhos[i], d1s.get(i));
            return x;
        }

        /// Weights of the first `count` places: R ρ = φ, R a Vandermonde matrix of the places.
        double[] rhos(int count) {
            double h = to.lambda() - history.getFirst().level().lambda();
            double[][] rows = new double[count][count + 1];
            double phi = Math.expm1(-h) / -h - 1;
            double factorial = 1;
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < count; j++) rows[i][j] = Math.pow(r[j], i);
                rows[i][count] = phi * factorial / b;
                factorial *= i + 2;
                phi = phi / -h - 1 / factorial;
            }
            return solveLinearSystem(rows);
        }
    }

    /// Gauss's elimination, the places being distinct.
    private static double[] solveLinearSystem(double[][] system) {
        int count = system.length;
        for (int i = 0; i < count; i++) {
            for (int k = 0; k < count; k++) {
                if (k == i) continue;
                double factor = system[k][i] / system[i][i];
                for (int j = i; j <= count; j++) system[k][j] -= factor * system[i][j];
            }
        }
        double[] solution = new double[count];
        for (int i = 0; i < count; i++) solution[i] = system[i][count] / system[i][i];
        return solution;
    }
}

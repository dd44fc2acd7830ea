package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A predictor for the clean latents, and a corrector that uses the next step's answer to take the step before once more, at no cost of its own;
/// in latents alpha · x0 + sigma · noise. Source: Zhao, Bai, Rao, Zhou and Lu 2023, "UniPC", algorithms 1 and 2 and equation 9 (data prediction).
///
/// @param order 1 to 3
/// @param form B(h) of the paper, h or e^h - 1
/// @param ending whether the last steps are of as low an order as steps are left
public record UniPc(int order, Form form, Deis.Ending ending, Bound bound) implements Sampler {
    public enum Form { BH1, BH2 }

    static Plan plan(Wanted wanted) throws Failure {
        SchedulerConfig config = wanted.config();
        int order = config.whole("solver_order", 2);
        if (order < 1 || order > 3) throw new Failure.Incompatible("solver_order: expected 1 to 3, found " + order);
        if (!config.flag("predict_x0", true)) throw config.notBuilt("predict_x0", "false");
        if (config.numbers("disable_corrector").orElse(new float[0]).length > 0) throw config.notBuilt("disable_corrector", "of some steps");
        Ratios trained = Ratios.of(config);
        Points points = MultistepReading.points(wanted, trained.size(), Math::rint);
        double end = trained.end(config);
        if (end > 0) end = wanted.flagged() == ScheduleName.MODEL ? end : points.last();
        Deis.Ending ending = config.flag("lower_order_final", true) ? Deis.Ending.LOWER_ORDER : Deis.Ending.FULL_ORDER;
        return new Plan(new UniPc(order, form(config), ending, Bound.thresholding(config)), MultistepReading.schedule(wanted, points.steps(end)));
    }

    private static Form form(SchedulerConfig config) throws Failure {
        String solver = config.text("solver_type", "bh2");
        return switch (solver) {
            case "bh1" -> Form.BH1;
            case "bh2", "midpoint", "heun", "logrho" -> Form.BH2; // the reference reads the names of other solvers as bh2
            default -> throw config.notBuilt("solver_type", solver);
        };
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask().bounded(bound);
        if (!at.past().isEmpty()) said = said.of(corrected(at.past().subList(0, used(at.past().size(), at.ahead().size() + 2)), said));
        if (at.step().to().ratio() == said.at().ratio()) return new Stepped(said.x(), said);
        return new Stepped(predicted(at.with(said).subList(0, used(at.past().size() + 1, at.ahead().size() + 1)), at.step().to()), said);
    }

    private int used(int known, int left) {
        return Math.min(known, ending == Deis.Ending.LOWER_ORDER ? Math.min(order, left) : order);
    }

    /// UniP: on from the latest answer.
    private Tensor predicted(List<Answer> known, Level to) {
        int order = known.size();
        Terms terms = Terms.of(known, to, form);
        double[] weights = order == 2 ? new double[] {0.5} : terms.solved(order - 1);
        return terms.moved(weights);
    }

    /// UniC: the step from the latest known answer once more, with what was said at its end.
    private Tensor corrected(List<Answer> known, Answer there) {
        int order = known.size();
        Terms terms = Terms.of(known, there.at(), form);
        double[] weights = order == 1 ? new double[] {0.5} : terms.solved(order);
        Tensor change = Latents.sum(1, there.clean(), -1, known.getFirst().clean());
        Level to = there.at();
        return Latents.sum(1, terms.moved(Arrays.copyOf(weights, order - 1)), -to.alpha() * terms.b * weights[order - 1], change);
    }

    /// The step's pieces: r the earlier answers' places in units of h = Δλ, `changes` their divided differences D / r.
    private record Terms(List<Answer> known, Level to, double[] r, List<Tensor> changes, double b) {
        static Terms of(List<Answer> known, Level to, Form form) {
            Answer latest = known.getFirst();
            double h = to.lambda() - latest.at().lambda();
            double[] r = new double[known.size()];
            List<Tensor> changes = new ArrayList<>();
            for (int i = 1; i < known.size(); i++) {
                r[i - 1] = (known.get(i).at().lambda() - latest.at().lambda()) / h;
                changes.add(Latents.sum(1 / r[i - 1], known.get(i).clean(), -1 / r[i - 1], latest.clean()));
            }
            r[known.size() - 1] = 1;
            return new Terms(known, to, r, changes, form == Form.BH1 ? -h : Math.expm1(-h));
        }

        /// The first-order step and the weighted changes.
        Tensor moved(double[] weights) {
            Answer latest = known.getFirst();
            double h = to.lambda() - latest.at().lambda();
            Tensor x = Latents.sum(to.sigma() / latest.at().sigma(), latest.x(), -to.alpha() * Math.expm1(-h), latest.clean());
            for (int i = 0; i < changes.size(); i++) x = Latents.sum(1, x, -to.alpha() * b * weights[i], changes.get(i));
            return x;
        }

        /// Weights of the first `count` places: R ρ = φ, R a Vandermonde matrix of the places.
        double[] solved(int count) {
            double h = to.lambda() - known.getFirst().at().lambda();
            double[][] rows = new double[count][count + 1];
            double phi = Math.expm1(-h) / -h - 1;
            double factorial = 1;
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < count; j++) rows[i][j] = Math.pow(r[j], i);
                rows[i][count] = phi * factorial / b;
                factorial *= i + 2;
                phi = phi / -h - 1 / factorial;
            }
            return eliminated(rows);
        }
    }

    /// Gauss's elimination, the places being distinct.
    private static double[] eliminated(double[][] rows) {
        int count = rows.length;
        for (int i = 0; i < count; i++) {
            for (int k = 0; k < count; k++) {
                if (k == i) continue;
                double factor = rows[k][i] / rows[i][i];
                for (int j = i; j <= count; j++) rows[k][j] -= factor * rows[i][j];
            }
        }
        double[] solution = new double[count];
        for (int i = 0; i < count; i++) solution[i] = rows[i][count] / rows[i][i];
        return solution;
    }
}

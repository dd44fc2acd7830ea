package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.function.DoubleUnaryOperator;

/// The second-order multistep solver for the predicted clean latents, in latents alpha · x0 + sigma · noise, λ = log(alpha / sigma);
/// with `eta` 1 for the stochastic equation, with 0 for the probability flow. Draws once a step where eta is above 0, also at the last.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", algorithm 2 and section 5; eta between as in k-diffusion's `sample_dpmpp_2m_sde`.
///
/// @param order 1 or 2
/// @param ending the order of the last step; a last step to no noise at all must be of first order
public record DpmPlusPlus2M(int order, Form form, Ending ending, double eta, Bound bound) implements Sampler {
    public enum Ending { FIRST_ORDER, SECOND_ORDER }

    /// How the change of the clean latents along a step is integrated: as if taken in its middle, or exactly if linear in λ.
    public enum Form { MIDPOINT, HEUN }

    /// The network is asked at whole timesteps, as in the reference.
    static Plan plan(Wanted wanted) throws Failure {
        SchedulerConfig config = wanted.config();
        Form form = form(config);
        int order = config.whole("solver_order", 2);
        if (order < 1) throw new Failure.Incompatible("solver_order: expected 1 to 3, found " + order);
        Ratios trained = Ratios.of(config);
        int visible = trained.above(config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY));
        DoubleUnaryOperator karras = config.text("beta_schedule", "linear").equals("squaredcos_cap_v2") ? Math::floor : Math::rint;
        Points points = MultistepReading.points(wanted, visible, karras);
        double end = trained.end(config);
        Ending ending = end == 0 || config.flag("euler_at_final", false) || MultistepReading.few(wanted, points) ? Ending.FIRST_ORDER : Ending.SECOND_ORDER;
        return new Plan(new DpmPlusPlus2M(Math.min(order, 2), form, ending, wanted.eta(), Bound.thresholding(config)), MultistepReading.schedule(wanted, points.steps(end)));
    }

    private static Form form(SchedulerConfig config) throws Failure {
        config.refuse("use_lu_lambdas");
        String variance = config.text("variance_type", "");
        if (!variance.isEmpty()) throw config.notBuilt("variance_type", variance);
        String solver = config.text("solver_type", "midpoint");
        return switch (solver) {
            case "midpoint", "logrho", "bh1", "bh2" -> Form.MIDPOINT; // the reference reads the names of other solvers as midpoint
            case "heun" -> Form.HEUN;
            default -> throw config.notBuilt("solver_type", solver);
        };
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask().bounded(bound);
        Level from = said.at();
        Level to = at.step().to();
        double step = to.lambda() - from.lambda();
        if (step == 0) return new Stepped(at.x(), said);
        double h = (1 + eta) * step;
        boolean first = order == 1 || at.past().isEmpty() || at.last() && ending == Ending.FIRST_ORDER;
        Tensor data = first ? said.clean() : extrapolated(said, at.past().getFirst(), step, h);
        double kept = eta == 0 ? 1 : Math.exp(-eta * step);
        Tensor x = Latents.sum(to.sigma() / from.sigma() * kept, at.x(), -to.alpha() * Math.expm1(-h), data);
        if (eta > 0) x = Latents.sum(1, x, to.sigma() * Math.sqrt(-Math.expm1(-2 * eta * step)), at.draw());
        return new Stepped(x, said);
    }

    /// D = x0 + w (x0 - x0') / r, where x0' is the step before's and r the ratio of the two steps in λ.
    private Tensor extrapolated(Answer said, Answer before, double step, double h) {
        double r = (said.at().lambda() - before.at().lambda()) / step;
        double w = switch (form) {
            case MIDPOINT -> 0.5;
            case HEUN -> -(Math.expm1(-h) / h + 1) / Math.expm1(-h);
        };
        return Latents.sum(1 + w / r, said.clean(), -w / r, before.clean());
    }
}
